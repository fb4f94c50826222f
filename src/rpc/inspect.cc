#include <ringwall/ascii.h>
#include <ringwall/check.h>
#include <ringwall/limits.h>
#include <ringwall/rpc/inspect.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "scanner.h"
#include "unescape.h"

namespace ringwall::rpc {
namespace {

using json::Scanner;

std::size_t nesting_words(std::uint32_t depth_max) { return (std::size_t{depth_max} + 63) / 64; }

// What the node takes for space before a message, as Rust's is_ascii_whitespace has it: form feed too.
bool is_leading_space(char byte) { return json::is_space(byte) || byte == '\f'; }

// Of a number in JSON's grammar, so without leading zeros.
bool is_u64(std::string_view number) {
  constexpr std::string_view largest = "18446744073709551615";
  if (!std::ranges::all_of(number, json::is_digit)) return false;
  return number.size() < largest.size() || (number.size() == largest.size() && number <= largest);
}

// Whether the node takes the value as an id: null, a string that Unicode can hold, a u64 without point or exponent.
bool is_valid_id(std::string_view text) {
  if (text.size() > id_bytes_max) return false;
  if (text[0] != '"') return text == null_id || is_u64(text);
  std::array<char, id_bytes_max> ignored;
  return !text.contains('\\') || json::unescape(text.substr(1, text.size() - 2), ignored).has_value();
}

struct Memory {
  std::span<Call> calls;
  std::span<std::uint64_t> nesting;
  std::uint32_t depth_max;
  std::span<char> unescaped;
};

// Reads one message. Each function returns false after the message has proved bad, for the reason in `bad_`.
class Reader {
 public:
  Reader(std::string_view text, const Memory& memory)
      : scanner_(text, memory.nesting, memory.depth_max), calls_(memory.calls), unescaped_(memory.unescaped) {}

  bool single();
  bool batch();
  std::span<const Call> calls() const { return calls_.first(calls_count_); }
  const BadMessage& bad() const { return bad_; }

 private:
  struct Members;

  bool fail(Code code, std::string_view why);
  bool syntax() { return fail(Code::parse_error, "Parse error"); }
  bool whole();
  bool value(std::string_view& text);
  bool entry();
  bool call(Call& call);
  bool member(Call& call, Members& members);
  // Behind the member's colon.
  bool method(Call& call, Members& members);
  bool params(Call& call, Members& members);
  bool id(Call& call, Members& members);

  Scanner scanner_;
  std::span<Call> calls_;
  std::size_t calls_count_ = 0;
  std::span<char> unescaped_;  // what is left of it
  BadMessage bad_;
};

// What has been seen of a call. `doubtful`: the node might read it otherwise, or not at all.
struct Reader::Members {
  bool jsonrpc = false;
  bool id = false;
  bool method = false;
  bool params = false;
  bool doubtful = false;

  void see(bool& which) {
    doubtful |= which;
    which = true;
  }
};

bool Reader::fail(Code code, std::string_view why) {
  bad_ = {.code = code, .why = why};
  return false;
}

bool Reader::whole() {
  scanner_.skip_space();
  return scanner_.at_end() || syntax();
}

bool Reader::value(std::string_view& text) {
  const char* const start = scanner_.at();
  const Scanner::Status status = scanner_.value();
  if (status == Scanner::Status::too_deep) return fail(Code::invalid_request, "Invalid request: nested too deep");
  if (status != Scanner::Status::ok) return syntax();
  text = {start, scanner_.at()};
  return true;
}

bool Reader::single() { return entry() && whole(); }

bool Reader::batch() {
  scanner_.take('[');
  scanner_.skip_space();
  if (scanner_.is_next(']')) return fail(Code::invalid_request, "Invalid request: an empty batch");
  for (;;) {
    if (calls_count_ == calls_.size()) {
      bad_ = {Code::invalid_request, "Invalid request: too many calls in a batch", true};
      return false;
    }
    if (!entry()) return false;
    scanner_.skip_space();
    if (scanner_.take(']')) return whole();
    if (!scanner_.take(',')) return syntax();
    scanner_.skip_space();
  }
}

bool Reader::entry() {
  Call& entry = calls_[calls_count_++];
  entry = {};
  if (scanner_.take('{')) return call(entry);
  // A list too: the node would take it for a call whose members are told by their places.
  entry.id = null_id;
  std::string_view ignored;
  return value(ignored);
}

bool Reader::call(Call& call) {
  Members members;
  scanner_.skip_space();
  if (!scanner_.take('}')) {
    for (;;) {
      if (!member(call, members)) return false;
      scanner_.skip_space();
      if (scanner_.take('}')) break;
      if (!scanner_.take(',')) return syntax();
      scanner_.skip_space();
    }
  }
  if (members.doubtful || !members.jsonrpc || !members.method) {
    if (call.id.empty()) call.id = null_id;
  } else {
    call.form = members.id ? Call::Form::call : Call::Form::notification;
  }
  return true;
}

bool Reader::member(Call& call, Members& members) {
  // As nearly everybody writes them.
  if (scanner_.take("\"jsonrpc\":\"2.0\"")) {
    members.see(members.jsonrpc);
    return true;
  }
  if (scanner_.take("\"id\":")) return id(call, members);
  if (scanner_.take("\"method\":")) return method(call, members);
  if (scanner_.take("\"params\":")) return params(call, members);
  const Scanner::String key = scanner_.string();
  if (!key.ok) return syntax();
  scanner_.skip_space();
  if (!scanner_.take(':')) return syntax();
  // Nobody but an evader escapes one; the node resolves it.
  members.doubtful |= key.has_escapes;

  if (key.inside == "method") return method(call, members);
  if (key.inside == "id") return id(call, members);
  if (key.inside == "params") return params(call, members);
  scanner_.skip_space();
  std::string_view text;
  if (!value(text)) return false;
  if (key.inside == "jsonrpc") {
    members.see(members.jsonrpc);
    members.doubtful |= text != "\"2.0\"";
  }
  return true;
}

bool Reader::params(Call& call, Members& members) {
  members.see(members.params);
  scanner_.skip_space();
  return value(call.params);
}

bool Reader::method(Call& call, Members& members) {
  scanner_.skip_space();
  members.see(members.method);
  call.method = {};
  if (!scanner_.is_next('"')) {
    members.doubtful = true;
    std::string_view ignored;
    return value(ignored);
  }
  const Scanner::String name = scanner_.string();
  if (!name.ok) return syntax();
  if (!name.has_escapes) {
    call.method = name.inside;
    return true;
  }
  const auto size =
      json::unescape(name.inside, unescaped_.first(std::min(unescaped_.size(), escaped_method_bytes_max)));
  if (!size) {
    members.doubtful = true;
    return true;
  }
  call.method = {unescaped_.data(), *size};
  unescaped_ = unescaped_.subspan(*size);
  return true;
}

bool Reader::id(Call& call, Members& members) {
  const bool repeated = members.id;
  members.id = true;
  scanner_.skip_space();
  if (!value(call.id)) return false;
  if (repeated || !is_valid_id(call.id)) {
    members.doubtful = true;
    call.id = null_id;
  }
  return true;
}

}  // namespace

std::size_t Inspector::bytes_held(const Bounds& bounds) {
  return sizeof(Inspector) + bounds.calls_max * sizeof(Call) + nesting_words(bounds.depth_max) * sizeof(std::uint64_t) +
         bounds.unescaped_bytes_max;
}

Inspector::Inspector(const Bounds& bounds)
    : bounds_(bounds),
      calls_(std::make_unique<Call[]>(bounds.calls_max)),
      nesting_(std::make_unique<std::uint64_t[]>(nesting_words(bounds.depth_max))),
      unescaped_(std::make_unique<char[]>(bounds.unescaped_bytes_max)) {
  RINGWALL_CHECK(bounds.calls_max > 0);
}

std::expected<Inspection, BadMessage> Inspector::inspect(std::span<const char> text) {
  std::string_view rest(text.data(), text.size());
  for (std::size_t spaces = 0; spaces < leading_space_bytes_max && !rest.empty() && is_leading_space(rest[0]);
       ++spaces) {
    rest.remove_prefix(1);
  }
  if (!rest.starts_with('{') && !rest.starts_with('[')) {
    return std::unexpected(BadMessage{Code::parse_error, "Parse error: neither an object nor an array"});
  }
  if (!is_ascii(rest) && !simdjson::validate_utf8(rest.data(), rest.size())) {
    return std::unexpected(BadMessage{Code::parse_error, "Parse error: not valid UTF-8"});
  }

  Reader reader(rest, {{calls_.get(), bounds_.calls_max},
                       {nesting_.get(), nesting_words(bounds_.depth_max)},
                       bounds_.depth_max,
                       {unescaped_.get(), bounds_.unescaped_bytes_max}});
  const bool is_batch = rest[0] == '[';
  if (!(is_batch ? reader.batch() : reader.single())) return std::unexpected(reader.bad());
  return Inspection{is_batch, reader.calls()};
}

}  // namespace ringwall::rpc
