"""What the bot says in Telegram besides its answers: plain text, made into HTML where it is sent."""

from __future__ import annotations

from telegram import BotCommand

from bot.memory import KEPT_DAYS

LONGEST_QUESTION = 1000
"""Characters of a question; more is refused with a word on it."""

COMMANDS = [
    BotCommand("start", "Bắt đầu"),
    BotCommand("help", "Hỏi được gì, hỏi thế nào"),
    BotCommand("huy", "Bỏ việc đang hỏi, làm lại từ đầu"),
    BotCommand("xoadulieu", "Xóa dữ liệu của tôi"),
]
NOTICE = (
    "Mình là máy trả lời tự động, không phải người. Câu trả lời để tham khảo, không phải quyết định của cơ quan "
    "nhà nước.\n"
    f"Bạn có đồng ý cho mình lưu câu hỏi để cải thiện bot không? Số điện thoại, số giấy tờ được che; lưu tối đa "
    f"{KEPT_DAYS} ngày; gõ /xoadulieu để xóa bất cứ lúc nào. Không đồng ý vẫn hỏi bình thường, mình không lưu gì."
)
AGREE, DECLINE = "Đồng ý cho lưu", "Không lưu"
NOTICE_IN_GROUP = (
    "Mình là máy trả lời tự động, không phải người. Câu trả lời để tham khảo, không phải quyết định của cơ quan "
    "nhà nước. Trong nhóm mình không lưu câu hỏi của ai.\n"
    "Muốn hỏi mình: nhắc tên mình, trả lời tin của mình, hoặc nhắn riêng."
)
HELLO = (
    "Chào bạn! Bạn cần làm giấy tờ, thủ tục gì ở Hà Nội?\n"
    "Cứ nhắn việc cần làm, có dấu hay không dấu đều được. Ví dụ: “làm giấy khai sinh cho con ở đâu”."
)
UNREADABLE = (
    "Mình chỉ đọc được chữ và vị trí bạn chia sẻ, chưa xem được ảnh, video, tệp và chưa nghe được giọng nói. "
    "Bạn gõ câu hỏi giúp mình nhé."
)
ONLY_WORDS_READ = "Mình chưa xem được ảnh hay tệp bạn gửi, nên chỉ trả lời theo phần chữ đi kèm."
TOO_LONG = f"Câu hỏi dài quá {LONGEST_QUESTION} ký tự, bạn rút gọn giúp mình nhé."
AGREED = f"Cảm ơn bạn. Câu hỏi của bạn được lưu tối đa {KEPT_DAYS} ngày; gõ /xoadulieu để xóa. Bạn cần hỏi gì ạ?"
DECLINED = "Vâng, mình không lưu gì. Bạn cứ hỏi bình thường."
FORGOTTEN = "Mình đã xóa hết dữ liệu của bạn ({count} câu hỏi) và thôi lưu từ giờ."
NOTHING_TO_FORGET = "Mình không lưu câu hỏi nào của bạn. Cuộc trò chuyện đang dở cũng đã xóa."
NEAREST = "Bạn đang ở gần trung tâm {unit} nhất. Nếu nhà bạn thuộc phường, xã khác, nhắn tên nơi đó giúp mình nhé."
OUTSIDE = "Vị trí này không ở Hà Nội; mình chỉ có dữ liệu của Hà Nội."
NEAR_CENTRE = "Trung tâm {unit} (ước chừng)"
NO_ADDRESS = "Chưa có địa chỉ {desk}; gọi 1022 trước khi đi"
LOST_BUTTON = "Nút này đã cũ, bạn gõ lại câu hỏi giúp mình nhé."
APOLOGY = "Xin lỗi bạn, mình gặp lỗi khi trả lời. Bạn thử lại giúp mình; nếu vẫn lỗi, gọi 1022 và đọc mã {reference}."
HUMAN = "Gặp người thật"
MAP = "Xem bản đồ"
