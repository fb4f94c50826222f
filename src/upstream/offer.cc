#include <ringwall/http/field.h>
#include <ringwall/http/head.h>
#include <ringwall/upstream/offer.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

namespace ringwall::upstream {

namespace {

bool is_offered_name(std::string_view name) {
  return !name.empty() && name.size() <= offered_name_bytes_max && std::ranges::all_of(name, [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '_' || byte == '-' || byte == '.';
  });
}

Result<simdjson::dom::array> find_methods(const simdjson::dom::element& answer) {
  simdjson::dom::element error;
  if (answer["error"].get(error) == simdjson::SUCCESS) {
    std::int64_t code = 0;
    if (error["code"].get(code) != simdjson::SUCCESS) return fail("the node answers with an error");
    return fail("the node answers with error " + std::to_string(code));
  }
  std::uint64_t id = 0;
  if (answer["id"].get(id) != simdjson::SUCCESS || id != 1) return fail("the node answers another call");
  simdjson::dom::array methods;
  if (answer["result"]["methods"].get(methods) != simdjson::SUCCESS) return fail("the node's answer has no methods");
  return methods;
}

}  // namespace

Result<Offer> parse_offer(std::string_view json) {
  simdjson::dom::parser parser(offer_bytes_max);
  simdjson::dom::element answer;
  // Copied: the parser reads some bytes beyond the text's end.
  if (parser.parse(json.data(), json.size(), true).get(answer) != simdjson::SUCCESS) {
    return fail("the node's answer is no JSON");
  }
  const auto methods = find_methods(answer);
  if (!methods) return std::unexpected(methods.error());
  Offer offer;
  std::size_t count = 0;
  for (const simdjson::dom::element row : *methods) {
    if (++count > offered_methods_max) {
      return fail("the node names more than " + std::to_string(offered_methods_max) + " methods");
    }
    std::string_view name;
    if (row.get(name) == simdjson::SUCCESS && is_offered_name(name)) offer.emplace_back(name);
  }
  std::ranges::sort(offer);
  const auto repeated = std::ranges::unique(offer);
  offer.erase(repeated.begin(), repeated.end());
  if (offer.empty()) return fail("the node names no method");
  return offer;
}

Result<bool> OfferReader::take(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > offer_bytes_max) {
    return fail("the node's answer has more than " + std::to_string(offer_bytes_max) + " bytes");
  }
  if (has_head_) return take_body(bytes);
  head_ += bytes;
  return take_head();
}

Result<bool> OfferReader::take_head() {
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
  if (head.status != 200) return fail("the node answers with HTTP status " + std::to_string(head.status));
  has_head_ = true;
  reader_ = http::BodyReader(head.framing, head.content_length, offer_bytes_max);
  return take_body(left);
}

Result<bool> OfferReader::take_body(std::string_view bytes) {
  while (!reader_.done()) {
    const auto piece = reader_.next(bytes);
    if (!piece) return fail("the node's answer has a broken body: " + std::string(piece.error().why));
    body_ += piece->payload;
    if (bytes.empty()) break;
  }
  return reader_.done();
}

Result<void> OfferReader::end() {
  if (!has_head_ || !reader_.whole_at_close()) return fail("the node closed before its answer was whole");
  return {};
}

Result<Offer> OfferReader::offer() const { return parse_offer(body_); }

}  // namespace ringwall::upstream
