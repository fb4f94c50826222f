// What is asked of the admin interface. What must hold:
// - the answer to a prefix is "more" or the answer to the whole;
// - a value that was encoded reads back as it was;
// - who is elsewhere may do nothing but what everyone may, and no web page may do more.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <ringwall/admin/client.h>
#include <ringwall/admin/request.h>
#include <ringwall/check.h>

namespace {

using namespace ringwall;
using namespace ringwall::admin;

struct Answer {
  int outcome;  // bytes, or minus a status
  Request request;
};

Answer answer_to(std::string_view bytes) {
  const std::string copy(bytes);  // of its own size, so that a read beyond the end is seen
  Answer answer{};
  const auto used = read_request(copy, answer.request);
  answer.outcome = used ? static_cast<int>(*used) : -int{used.error().status};
  return answer;
}

void check_encoding(const Request& request) {
  std::string text = "GET /x?";
  for (const auto& [name, value] : request.parameters) {
    text += percent_encoded(name) + "=" + percent_encoded(value) + "&";
  }
  if (text.size() > http::target_bytes_max / 2) return;  // three bytes for one
  const Answer again = answer_to(text + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RINGWALL_CHECK(again.outcome > 0);
  RINGWALL_CHECK(again.request.parameters == request.parameters);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Answer whole = answer_to(input);
  for (std::size_t bytes = 0; bytes < std::min<std::size_t>(size, 200); ++bytes) {
    const int part = answer_to(input.substr(0, bytes)).outcome;
    RINGWALL_CHECK(part == 0 || part == whole.outcome);
  }
  if (whole.outcome <= 0) return 0;
  const Request& request = whole.request;
  RINGWALL_CHECK(request.parameters.size() <= parameters_max);
  using config::Changes;
  for (const Access access : {Access::reading, Access::changing}) {
    RINGWALL_CHECK(refusal(access, Peer::elsewhere, request, Changes::loopback) != nullptr);
    if (request.is_direct) continue;
    RINGWALL_CHECK(refusal(access, Peer::this_machine, request, Changes::loopback) != nullptr);
  }
  RINGWALL_CHECK(refusal(Access::changing, Peer::this_machine, request, Changes::socket) != nullptr);
  if (!request.has_header) {
    RINGWALL_CHECK(refusal(Access::changing, Peer::this_machine, request, Changes::loopback) != nullptr);
  }
  check_encoding(request);
  return 0;
}
