"""What a custodian says when something does not hold: Chinese first, English second, and whose move it is."""

from clients.errors import Sentence

# card.py
CARD_OF_ANOTHER_KEY = Sentence(
    "{custodian} 的名片不是由名片所载密钥签名的；请向该机构重新索取名片",
    "the card of {custodian} is signed by another key than it names",
)
NO_CARD = Sentence(
    "这不是托管人或见证人的名片；请让该机构用 init 重新给出",
    "this is no card of a custodian or witness: {error}",
)

# ceremony.py
NO_SHARE = Sentence(
    "本目录没有密钥仪式 {ceremony} 的份额；丢失可用 `recover` 找回",
    "this home holds no share of ceremony {ceremony}; see `recover`",
)
NO_CERTIFICATE = Sentence(
    "密钥仪式 {ceremony} 在本目录没有以证书告终",
    "ceremony {ceremony} did not end with a certificate in this home",
)
OTHER_CONTEXT = Sentence(
    "密钥仪式 {ceremony}：密钥背景属于别的中心或别的仪式，不予参加",
    "ceremony {ceremony}: the key's context is of another centre or ceremony",
)
HELD_WITHOUT = Sentence(
    "密钥仪式 {ceremony} 的名单里没有本托管人", "ceremony {ceremony} is held without this custodian"
)
EARLIEST_IS_PAST = Sentence(
    "密钥仪式 {ceremony}：最早开启时刻 {earliest} 已过，或不在整秒上；请中心重新安排",
    "ceremony {ceremony}: its earliest opening {earliest} is past or not on a slot boundary",
)
CONTEXT_CHANGED = Sentence(
    "密钥仪式 {ceremony} 中途换了密钥背景，不予继续",
    "ceremony {ceremony} comes back with another context",
)
MESSAGES_MISSING = Sentence(
    "密钥仪式 {ceremony} 第 {round} 轮：{custodians} 位托管人，却有 {messages} 条消息",
    "ceremony {ceremony}: {messages} messages of round {round} for {custodians} custodians",
)
NOT_PINNED = Sentence(
    "密钥仪式 {ceremony}：第 {index} 位托管人不在 `join` 时核对过的名册里；请与该机构核对指纹后重新 join",
    "ceremony {ceremony}: custodian {index} was not pinned at `join`; compare fingerprints with that organisation and join again",
)
MESSAGE_MISPLACED = Sentence(
    "密钥仪式 {ceremony}：有消息放错了位置",
    "ceremony {ceremony}: a message stands in a wrong place",
)

# cli.py
NO_HOME = Sentence(
    "{path} 不是托管人目录；用 `custodian init --home {path}` 新建",
    "{path} is no home; `custodian init --home {path}` makes one",
)
PASSPHRASES_DIFFER = Sentence("两次输入的口令不一致，请重来", "the two passphrases differ")
ROSTER_OF_ANOTHER = Sentence(
    "名册属于 {theirs}，不是 {ours}", "this roster is of {theirs}, not {ours}"
)
OWN_CARD_MISSING = Sentence(
    "名册里没有本目录的名片，或已被改动；请与中心核对",
    "this home's own card is not in the roster, or was changed there",
)
NO_TERMINAL = Sentence(
    "没有终端可供核对指纹；请用 --fingerprint 给出",
    "no terminal to compare fingerprints on; give --fingerprint",
)
NOT_JOINED = Sentence("未加入，什么也没有记下", "not joined; nothing was pinned")
JOIN_FIRST = Sentence(
    "{home} 还没有加入；请先运行 `custodian join`", "{home} has not joined; run `custodian join`"
)
UNKNOWN_SECRET = Sentence("名册不认识这份主机密钥", "the roster does not know this host secret")
OTHER_FINGERPRINT = Sentence(
    "名册的指纹是 {fingerprint}，与您给出的不同：途中被人改动，请勿加入",
    "the roster's fingerprint is {fingerprint}; somebody changed it under way",
)
OTHER_LOG = Sentence(
    "此前认定的是另一本存证日志；新日志请用新目录",
    "another log was pinned before; a new log wants a new home",
)

# cosigner.py
LOG_CONTRADICTS = Sentence(
    "长度 {shown} 的日志与本见证人联署过的长度 {signed} 的日志相矛盾，请告知监督部门",
    "the log of {shown} leaves contradicts the one of {signed} leaves that this witness cosigned ({error}); {where}, tell the supervisor",
)

# handed.py
SIGNED_DIFFERENTLY = Sentence(
    "中心与监督部门所签的内容不一致，请他们重签", "centre and supervisor signed different things"
)
NEVER_EARLIER = Sentence(
    "推迟只能把开标时间改晚，不能改早", "a postponement moves T later, never earlier"
)
PROVES_NOTHING = Sentence(
    "这份证据与已认定的日志和见证人无关",
    "this proves nothing about the pinned log or a pinned witness",
)
NOT_HANDED_OVER = Sentence(
    "用途为 {purpose!r} 的声明不能当面交付",
    "a statement of purpose {purpose!r} cannot be handed over",
)
NOT_BOTH_SIGNED = Sentence(
    "这不是中心与监督部门共同签名的声明",
    "this is not one statement signed by centre and supervisor: {error}",
)

# home.py
NOT_EMPTY = Sentence(
    "{path} 不是空目录；托管人目录绝不覆盖，请换一个",
    "{path} is not empty; a home is never overwritten",
)
LIVED_IN = Sentence(
    "另一个进程正在使用 {path}；请先结束它", "another process lives in {path}; end it first"
)

# keys.py
SECRET_LENGTH = Sentence(
    "主机密钥应为 {wanted} 字节，此处为 {found} 字节",
    "a host secret has {wanted} bytes, not {found}",
)
SEALED_BY_ANOTHER = Sentence(
    "加密保存的 {what} 与本目录的主机密钥不符；目录被换过或损坏",
    "the sealed {what} does not fit this home's host secret",
)
SECRET_SHUT = Sentence(
    "主机密钥打不开：口令不对，或文件损坏", "the host secret does not open: {error}"
)

# recovery.py
OWN_COSIGNATURE_MISSING = Sentence(
    "本托管人持有份额，中心却不出示它的任何联署：可能隐藏了另一段历史，请告知监督部门",
    "the centre shows no cosignature of this custodian's own, although it holds shares; another history may be hidden. Tell the supervisor",
)
TOO_FEW_WITNESSES = Sentence(
    "一分钟内另有 {fresh} 位见证人联署，需要 {needed} 位才能确认历史唯一；请等他们在线后重来",
    "{fresh} other witnesses have stamped this log within a minute, {needed} are needed to know that it is the one history; run this again when they are awake",
)
OTHER_LEAVES = Sentence(
    "所示条目不在日志检查点之下，不予采信",
    "the leaves shown are not those under the log's checkpoint",
)
OTHER_HISTORY = Sentence(
    "见证人联署过的长度 {size} 的检查点属于另一段历史；未作恢复，请告知监督部门",
    "a checkpoint of {size} leaves that witnesses cosigned is of another history than the log shown ({error}); nothing was recovered, {where}",
)
NOT_SIGNED_HERE = Sentence(
    "中心出示的 {purpose} 不是本托管人所签",
    "the centre shows a {purpose} that this custodian has not signed",
)
REMAINS_MALFORMED = Sentence(
    "密钥仪式留存的内容不合格式", "the ceremony's remains are malformed: {error}"
)

# release.py
ANSWERED_ABOUT_ANOTHER = Sentence(
    "问的是标段 {asked}，中心答的是 {answered}，不予应答",
    "asked about {asked}, the centre answered about {answered}",
)

# roster.py
NO_HOST_KEY = Sentence("名册里有托管人没有主机公钥", "a custodian of the roster has no host key")
HOST_KEY_TWICE = Sentence("名册里同一主机公钥出现两次", "one host key stands twice in the roster")
SAME_KEY = Sentence(
    "中心与监督部门用同一密钥；必须两人分别签名",
    "centre and supervisor have the same key; two people must sign",
)
ROSTER_VERSION = Sentence("名册版本不是 1", "this roster has another version than 1")
NO_ROSTER = Sentence("这不是版本 1 的名册", "this is no roster of version 1: {error}")
TWICE_IN_ROSTER = Sentence(
    "名册里同一 {what} 出现两次；谁也不得持有两份",
    "one {what} stands twice in the roster; no one holds two shares",
)

# state.py
DISK_REFUSES = Sentence(
    "{path} 所在磁盘不支持 WAL 与 synchronous=FULL；请换本地磁盘",
    "{path} lies on a disk that refuses WAL with synchronous=FULL",
)
MARK_BACKWARDS = Sentence(
    "标记 {name!r} 已到 {before}，不能改为 {number}",
    "the mark {name!r} stands at {before} and cannot become {number}",
)
CLOCK_BACK = Sentence(
    "时钟比先前倒退了 {ms} 毫秒；请托管人校准，其间不签任何东西",
    "the clock shows {ms} ms less than it has shown before; the custodian must set it right, nothing is signed meanwhile",
)
MEMORY_SHUT = Sentence(
    "托管人的存储 {path} 打不开；请检查磁盘与权限",
    "the custodian's memory {path} cannot be opened: {error}",
)
MEMORY_FULL = Sentence(
    "托管人的存储无法写入；请检查磁盘空间与权限",
    "the custodian's memory cannot be written: {error}",
)
