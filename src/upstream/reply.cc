#include <ringwall/http/field.h>
#include <ringwall/http/head.h>
#include <ringwall/upstream/reply.h>

namespace ringwall::upstream {

Result<bool> ReplyReader::take(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > reply_bytes_max) {
    return fail("the node's answer has more than " + std::to_string(reply_bytes_max) + " bytes");
  }
  if (status_ != 0) return take_body(bytes);
  head_ += bytes;
  return take_head();
}

Result<bool> ReplyReader::take_head() {
  std::string_view left = head_;
  http::ResponseHead head;
  do {
    const auto head_bytes = http::parse_response_head(left, false, head);
    if (!head_bytes) return fail("the node's answer is no HTTP: " + std::string(head_bytes.error()));
    if (*head_bytes == 0) {
      head_.erase(0, head_.size() - left.size());
      return false;
    }
    left.remove_prefix(*head_bytes);
  } while (head.status < 200 && head.status != 101);
  status_ = head.status;
  if (status_ != 200) return true;
  keeps_alive_ = head.keep_alive;
  reader_ = http::BodyReader(head.framing, head.content_length, reply_bytes_max);
  return take_body(left);
}

Result<bool> ReplyReader::take_body(std::string_view bytes) {
  while (!reader_.done()) {
    const auto piece = reader_.next(bytes);
    if (!piece) return fail("the node's answer has a broken body: " + std::string(piece.error().why));
    body_ += piece->payload;
    if (bytes.empty()) break;
  }
  return reader_.done();
}

Result<void> ReplyReader::end() {
  if (status_ == 0 || !reader_.whole_at_close()) return fail("the node closed before its answer was whole");
  return {};
}

}  // namespace ringwall::upstream
