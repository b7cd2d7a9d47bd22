"""Every refusal of the verbs as one sentence, Chinese first, English second: what happened, and whose move it is.

One place for the whole room, so that whoever reads them reads them beside each other. What a lower floor reports
(`{error}`) stands in the English half only, in its own words.
"""

import errno

from clients.errors import Sentence

# verbs.py: what the system or a lower floor reports
NO_SUCH_FILE = Sentence("没有这个文件或文件夹：{path}", "there is no file or folder {path}")
IS_FOLDER = Sentence("{path} 是文件夹，此处要文件", "{path} is a folder where a file is wanted")
NO_PARENT = Sentence("路径中有一段不是文件夹：{path}", "a part of {path} is no folder")
NOT_ALLOWED = Sentence(
    "没有权限使用 {path}；请检查权限，或换一个位置",
    "{path} may not be used by this user; see its permissions or take another place",
)
READ_ONLY = Sentence(
    "{path} 所在磁盘只读；请换一个位置", "{path} lies on a disk that can only be read"
)
DISK_FULL = Sentence(
    "磁盘已满；请腾出空间后重来，没有留下半成品",
    "the disk is full; make room and run it again, nothing half-made was left",
)
BAD_NAME = Sentence("文件名不可用：{path}", "{path} is no name that this system takes")
SYSTEM_OTHER = Sentence("系统报错：{path}", "the system says of {path}: {error}")
SYSTEM = {
    errno.ENOENT: NO_SUCH_FILE,
    errno.EISDIR: IS_FOLDER,
    errno.ENOTDIR: NO_PARENT,
    errno.EACCES: NOT_ALLOWED,
    errno.EPERM: NOT_ALLOWED,
    errno.EROFS: READ_ONLY,
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.ENAMETOOLONG: BAD_NAME,
    errno.ELOOP: BAD_NAME,
    errno.EINVAL: BAD_NAME,
}
"""Errors of the operating system by their number."""
DOES_NOT_HOLD = Sentence("内容不成立或不合格式", "{error}")

# disclose.py
NO_SECRET_FILE = Sentence("{path} 不是密封时留下的 BID.secret.json", "{path} is no BID.secret.json")
PLEDGED = Sentence(
    "已承诺，{wanted} 家中已有 {pledged} 家；待全部承诺后再运行一次。文件密钥还没有离开本机",
    "pledged; {pledged} of {wanted} bidders have. Run this again when all have: the file key has not left this machine",
)
NOT_ON_CLOSE_LIST = Sentence(
    "此标不在截标清单上，无人需要它的文件密钥",
    "this bid is not on the close list; its file key is wanted by nobody",
)
NO_BID_COUNTS = Sentence(
    "此密钥在标段 {section} 没有计入的投标", "this key has no bid that counts in section {section}"
)

# doctor.py
CENTRE_AND_KEY = Sentence(
    "--centre 与 --key 须同用：试件像投标一样签名",
    "--centre and --key go together: the dummy is signed like a bid",
)

# drill.py
NEVER_OPENS = Sentence(
    "{n} 位托管人永远凑不齐 {t} 位；--t 不得大于 --n",
    "{t} of {n} custodians can never open; --t is at most --n",
)
FOLDER_NOT_EMPTY = Sentence(
    "{out} 不是空文件夹；演练绝不覆盖别人的密钥，请换一个",
    "{out} is not an empty folder; a drill overwrites nobody's keys",
)
WOULD_OVERWRITE = Sentence(
    "解密结果会覆盖密文；请给另一个输出文件", "the opened file would overwrite the sealed one"
)
SHARE_OF_ANOTHER = Sentence(
    "第 {number} 位托管人：{path} 属于别的托管人或别的仪式",
    "custodian {number}: {path} is of another custodian or another ceremony",
)
USE_NUMBERS = Sentence(
    "--use 要托管人的序号，例如 1,3,5", "--use takes custodians' numbers, e.g. 1,3,5"
)
FROM_ONE = Sentence("托管人从 1 开始编号", "custodians are numbered from 1")
TWICE_IN_USE = Sentence(
    "--use 里同一托管人出现两次；重复不算两份",
    "a custodian stands twice in --use; it would not count twice",
)
NO_SUCH_PATH = Sentence("没有 {path}，请核对路径", "there is no {path}")
SHARE_BROKEN = Sentence(
    "第 {number} 位托管人：{path} 的内容不成立，被改动或损坏",
    "custodian {number}: {path} does not hold: {error}",
)

# files.py
TOO_LARGE = Sentence(
    "{path} 过大，超过 {limit} 字节", "{path} is larger than {limit} bytes; that is no {what}"
)
NO_FOLDER = Sentence(
    "没有文件夹 {path}；请先建立，或换一个位置", "there is no folder {path}; make it first"
)
NO_PLACE_FOR_FILE = Sentence(
    "{path} 是文件夹或设备，不能用作输出文件", "{path} is a folder or a device, no place for a file"
)
UNREADABLE = Sentence("读不到 {path}，请核对路径与权限", "there is no readable {what} {path}")
NOT_PARSED = Sentence("{path} 不合格式", "{path} cannot be read: {error}")

# handing_in.py
PAPER_FALSE = Sentence(
    "纸面回执 {target} 不成立；请保存并告知监督部门",
    "the receipt on paper in {target} does not hold, {wrong}; keep it and tell the supervisor",
)
OTHER_FILE = Sentence(
    "{sealed} 与 {submission} 所载不是同一文件",
    "{sealed} is not the file that {submission} was made for",
)
CHANGED_SINCE = Sentence(
    "{sealed} 密封后被改动；请重新密封", "{sealed} was changed since it was sealed; seal it again"
)
RECEIPT_FALSE = Sentence(
    "回执 {target} 不成立；请保存并告知监督部门",
    "the receipt in {target} does not hold, {check}: {detail}; keep it and tell the supervisor",
)
RECEIPT_OF_OTHER_BYTES = Sentence(
    "回执 {target} 对应的不是这份文件",
    "the receipt in {target} is for other bytes than those of this file",
)
NOT_SIGNED_BY_KEY = Sentence(
    "{submission} 不是由此密钥签名的投标声明",
    "{submission} is no submission signed by this key: {error}",
)
NO_RECEIPT = Sentence("{path} 不是回执", "{path} is no receipt: {error}")
RUN_AGAIN = Sentence(
    "尚未完成，没有丢失任何内容；请再运行同一命令。",
    "{error}; nothing is lost, run the same command again",
)
REFUSED = Sentence(
    "中心拒收，签名的拒收凭证在 {refusal}", "{problem}; the signed refusal lies in {refusal}"
)

# keeping.py
NO_CENTRE_HOME = Sentence("没有数据目录 {home}，请核对 --home", "there is no home {home}")

# keyfile.py
NO_TERMINAL = Sentence(
    "没有终端可问口令；请用 --passphrase-file 给出",
    "no terminal to ask for the passphrase on; give --passphrase-file",
)
EMPTY_LINE = Sentence(
    "{file} 首行为空；口令应写在首行",
    "the first line of {file} is empty; it must hold the passphrase",
)
NO_KEY = Sentence("{path} 不是可用的签名密钥，或口令不对", "{path}: {error}")
NO_TEXT = Sentence(
    "{file} 不是文本；其中应写口令", "{file} is no text; it must hold the passphrase"
)

# order.py
ORDER_FIELDS = Sentence(
    "{purpose} 需要 {names}：缺 {missing}，多 {foreign}",
    "{purpose} needs {names}: missing {missing}, not of it {foreign}",
)
NO_ORDER = Sentence("没有 {what!r} 这种决定；有 {kinds}", "{what!r} is no order; there are {kinds}")
ORDER_WRONG = Sentence("决定的内容不合格式", "{error}")
NO_SUPERVISORS_ORDER = Sentence(
    "{order} 不是监督部门签名的决定", "{order} is no order of a supervisor"
)

# replay.py
NO_SCENARIO = Sentence("不是可用的竞价场景", "no scenario: {error}")

# seal.py
FOUR_NEEDED = Sentence(
    "--tender、--trust、--key、--summary 四项都要给出",
    "--tender, --trust, --key and --summary are all needed",
)
NO_FILE = Sentence("没有文件 {path}，请核对路径", "{path} is no file")
PROOF_WANTED = Sentence(
    "本次招标要求持有证明，通用 age 工具做不出；请用 `seal`",
    "this tender wants a proof of possession, which a stock age tool cannot make; use `seal`",
)
ONE_FILE = Sentence(
    "--to 只密封一个文件，不与其他选项同用",
    "--to seals exactly one file and goes with no other option",
)
HANDED_IN = Sentence(
    "{output} 已经递交过（旁边有回执）；重新密封会毁掉它的文件密钥，请换一个输出文件名",
    "{output} was handed in (its receipt lies beside it); sealing over it would destroy its file key. "
    "Name another output",
)
NO_RECIPIENT = Sentence(
    "--to 要 age1tag1 开头的收件人", "--to wants an age1tag1 recipient: {error}"
)

# sealing.py
SUMMARY_FORM = Sentence(
    '{path} 应为 {{"bidder": 编号, "parties": [编号，牵头人在前], "summary": {{名称: 文字}}}}',
    '{path} must be {{"bidder": id, "parties": [ids, lead first], "summary": {{name: text}}}}',
)
OTHER_RECEIPT = Sentence(
    "{path} 不是标段 {section} 的投标回执",
    "{path} is no receipt of a submission to section {section}",
)
NO_SEALED_BID = Sentence("{sealed} 不是密封的投标文件", "{sealed} is no sealed bid: {error}")
LEAD_FIRST = Sentence(
    "{path}：联合体牵头人排第一，且就是投标人",
    "{path}: the lead party comes first and is the bidder",
)

# self_test.py
OPENED_ELSE = Sentence(
    "中心打开的与密封的不一致；请告知监督部门",
    "the centre opened something else than was sealed; tell the supervisor",
)
KEY_OF_SECTION = Sentence(
    "中心拿标段的密钥当自检密钥；没有向它密封任何东西",
    "the centre shows a section's key for a drill; nothing was sealed to it",
)
OTHER_DRILL_KEY = Sentence(
    "自检密钥不是其仪式产生的那一个", "the drill key is another than its ceremony made"
)
NO_DRILL_KEY = Sentence("中心没有出示自检密钥", "the centre shows no drill key: {error}")

# submit.py
TRUST_NEEDED = Sentence(
    "--tender 须与 --trust 同用才可采信", "--tender is believed only with --trust"
)
SEAL_WITH_SEAL = Sentence(
    "本次招标要求持有证明；请用 `seal` 密封",
    "this tender wants a proof of possession; seal with `seal`",
)

# trust.py
NO_CERTIFICATES = Sentence("{path} 不是 PEM 证书文件", "{path} is no file of PEM certificates")
