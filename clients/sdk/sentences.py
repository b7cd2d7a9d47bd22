"""What is said of a centre that does not answer as it should: Chinese first, English second."""

from clients.errors import Sentence

# acts.py
OTHER_PROPOSAL = Sentence(
    "中心出示的事项与所签的 {act} 不符，未予确认",
    "the centre shows another proposal than the {act} that was signed",
)

# draw.py
NO_DRAW = Sentence(
    "中心对标段 {section} 浮动点的承诺不成立，请告知监督部门",
    "the centre's commitment to the float draw of {section} does not hold: {error}",
)
NO_PARTY = Sentence(
    "中心没有把本单位列为标段 {section} 浮动点的承诺方",
    "the centre does not name you among the parties to the float draw of {section}",
)
BOUND_ALREADY = Sentence(
    "本单位在标段 {section} 已有承诺；请使用当时留下的随机数文件",
    "you have committed in {section}; go on with the nonce's file that was kept then",
)
NONCE_OPEN = Sentence(
    "{file} 他人可读；请先 chmod 600，再运行一次",
    "others may read {file}; chmod 600 first, then run it again",
)
NO_NONCE = Sentence(
    "{file} 不是此密钥在此标段留下的随机数文件",
    "{file} is no nonce's file of this key and section",
)
NOT_DUE = Sentence(
    "尚未截标，随机数没有离开本机；截标后再运行，或用 --wait 等候",
    "the list is not closed yet and the nonce has not left this machine; run it after the close, or --wait",
)

# hall.py
HALL_LEFT = Sentence("已离开竞价大厅；请重新进入", "the hall was left; enter it again")
HALL_SILENT = Sentence("竞价大厅没有应答，请稍后重试", "the hall does not answer: {error}")
HALL_CUT = Sentence("与竞价大厅的连接断开，请重新进入", "the hall was cut: {error}")

# ledger.py
NO_EVIDENCE = Sentence("中心的应答里没有证据清单", "the centre's answer holds no list of evidence")
LEAVES_SHORT = Sentence(
    "要第 {start} 至 {stop} 条存证，中心给了 {count} 条",
    "the centre gave {count} leaves from {start} to {stop}",
)
NO_LIST = Sentence("中心的应答里没有 {name} 清单", "the centre's answer holds no list of {name}")

# opening.py
NO_RECEIPT_OF_ACT = Sentence(
    "中心受理了该行为却没有签发回执，请告知监督部门",
    "the centre took the act and signed no receipt of it; tell the supervisor",
)
RECEIPT_OF_ANOTHER_ACT = Sentence(
    "回执 {path} 属于另一行为；请保存并告知监督部门",
    "the receipt in {path} is of another act; keep it, tell the supervisor",
)
NOT_THE_CENTRES_KEY = Sentence(
    "签署 {purpose} 的密钥不在事先认定的中心密钥之列，请告知监督部门",
    "a {purpose} is signed by a key that is not pinned as the centre's",
)
STATE_OF_ANOTHER = Sentence(
    "中心签的是标段 {section} 的状态，不是所问的",
    "the centre signed the state of {section} instead",
)
SIGNED_WRONGLY = Sentence("中心所签内容不成立", "what the centre signed does not hold: {error}")


# session.py
NO_TOKEN = Sentence("中心没有给出登录凭证；请确认地址是本中心", "the centre gave no session token")

# uploads.py
UPLOAD_NOWHERE = Sentence(
    "中心建立了上传，却没有说明位置", "the centre created an upload without saying where"
)
UPLOAD_UNKNOWN = Sentence(
    "中心没有说明已上传到哪里，请稍后重试", "the centre does not say where the upload stands"
)
BECAME_SHORTER = Sentence(
    "{file} 在上传途中变短了；请勿改动，重新上传", "{file} became shorter while it was being sent"
)

# wire.py
NO_ADDRESS = Sentence(
    "{server!r} 不是 http:// 或 https:// 地址", "{server!r} is no http:// or https:// address"
)
ANSWER_TOO_LONG = Sentence(
    "应答超过 {limit} 字节，不予接收", "the answer is longer than {limit} bytes"
)
NOT_JSON = Sentence(
    "应答不是 JSON；请核对这个地址是不是交易中心",
    "the centre's answer is not JSON; is this address a centre?",
)
SILENT = Sentence(
    "交易中心 {server} 没有应答；请检查网络与地址后重试",
    "the centre at {server} does not answer: {error}",
)
CUT = Sentence("交易中心断开了连接；请稍后重试", "the centre cut the connection: {error}")
NO_REASON = Sentence("中心拒绝了，没有说明理由", "the centre gave no reason")
