"""What the demo tells of each step, Chinese first, English second; the English is the step's `detail` in `summary.json`.

One place for the whole room, in the order of the steps.
"""

from clients.errors import Sentence

# setting_up.py, bids.py, draw.py: the house is made ready
PEOPLE = Sentence(
    "{n} 名托管人、另 1 名见证人各为独立进程；{people} 人持有密钥",
    "{n} custodians and 1 more witness run as processes of their own; {people} people have keys",
)
ENROLLED = Sentence(
    "{n} 家投标人持有密钥，PDF 共 {size} MiB；本机密封并上传约 {speed} MB/s",
    "{n} bidders with keys and {size} MiB of PDF; sealing and uploading runs at {speed} MB/s here",
)
TENDER = Sentence(
    "密钥 {key}… 由 5 人分持、3 人可启；公告 {number} 已签；距 T {ahead} 秒",
    "3 of 5 hold the key of {key}…; notice {number} signed; T in {ahead} s",
)
COMMITTED = Sentence(
    "中心、监督部门、招标人、招标代理均受承诺约束，谁也不知道抽取值",
    "centre, {parties} are bound; none of them knows the value",
)

# bids.py: sealed bids
SLIPPED_IN = Sentence(
    "中心私自换上的收件公钥：投标端拒绝密封",
    "a recipient slipped in by the centre: refused ({error})",
)
HANDED_IN = Sentence(
    "{n} 家递交 {size} MiB，{receipts} 份回执离线核验无误；距 T {left} 秒",
    "{n} bidders handed in {size} MiB, {receipts} receipts verified offline; {left} s before T",
)
LATE = Sentence(
    "T 后 {after} 毫秒到达：凭签名的拒收凭证拒收（{code}）",
    "arrived {after} ms after T: refused by a signed statement ({code})",
)

# attacks.py: what must fail
TWO_SHARES = Sentence(
    "{n} 份密文配 2 份份额，每次都认证失败；演练标加上第三份份额即可打开",
    "{n} sealed files, 2 shares: authentication error each time; a rehearsal bid with a third share opens",
)
TOO_EARLY = Sentence(
    "提前索取：托管人拒绝（{early}）；谎称 T 更早：也拒绝（{earlier}）",
    "asked early: refused, {early}; asked an earlier T: refused, {earlier}",
)

# opening.py
HARMED = Sentence(
    "第 {killed} 名托管人的进程被杀；第 {altered} 名的份额在其目录中被改",
    "custodian {killed} killed; custodian {altered}'s share altered in its home",
)
UNLOCKED = Sentence(
    "T 后 {took} 秒，5 人中 3 人应答，{counted} 份投标打开 {opened} 份；{wrong} 应答有误，证明为据",
    "{opened} of {counted} bids open {took} s after T with 3 of 5; {wrong} answered wrongly, by proof",
)
READ_OUT = Sentence(
    "唱标 {rows} 行，确认状态 {states} 项，开标记录 {number} 已签",
    "{rows} lines read out, {states} confirmation states, record {number} signed",
)

# session.py
ANNOUNCED = Sentence(
    "宗地 {lots} 块，竞得名额 {slots} 个；{ahead} 秒后开始挂牌",
    "{lots} parcels, {slots} slots; listing opens in {ahead} s",
)
OFFERED = Sentence(
    "报价接受 {accepted} 次、拒绝 {refused} 次，每次都有签名；断电时在途的那次凭其编号了结",
    "{accepted} offers accepted, {refused} refused, each signed; the one under way at the kill settled by its key",
)
RESULT = Sentence(
    "{lots} 家中 {won} 家竞得，应缴共 {total} 元；竞价过程记录与 {letters} 份成交确认书已签",
    "{won} of {lots} win, CNY {total} in all; transcript and {letters} deal confirmations signed",
)

# evidence.py
GATHERED = Sentence(
    "记录 {records} 份，归档包 {dossiers} 个，回执 {receipts} 份",
    "{records} records, {dossiers} dossiers, {receipts} receipts",
)
VERIFIED = Sentence(
    "{paths} 个路径全部有效，核验 {checks} 项，不靠服务器，不连网络",
    "{paths} paths valid, {checks} checks, no server and no network",
)
FLIPPED = Sentence(
    "改动一个字节即无效，查出处：{places}",
    "one flipped byte is invalid at {places}",
)

# stage.py, run.py, command.py: when it does not go as it must
FAILED = Sentence("此步未如预期，演示到此为止；原因见下", "{error}")
ENDED = Sentence("{name} 自行退出，其最后输出如下", "{name} ended:\n{words}")
NO_FOLDER = Sentence(
    "用法不对：{path} 不能用作目录；请换一个位置", "{path} can be no folder: {error}"
)
NOT_EMPTY = Sentence(
    "用法不对：{path} 不是空目录；演示要从空目录开始，请换一个",
    "{path} is not empty; a demo starts on a fresh folder",
)
