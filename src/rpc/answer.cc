#include <ringwall/rpc/answer.h>

#include <algorithm>
#include <cstddef>

#include "skip.h"

namespace ringwall::rpc {
namespace {

// Walks over the members of an object whose end may be cut off.
class Members {
 public:
  // `text` starts with the object's bracket, or there are no members.
  explicit Members(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {
    if (at_ != end_ && *at_ == '{') {
      ++at_;
    } else {
      at_ = end_;
    }
  }

  // Steps over the first member if it is just this.
  template <std::size_t Size>
  void pass_first(const char (&member)[Size]) {
    if (!json::begins_with(at_, end_, member)) return;
    at_ += Size - 1;
    is_first_ = false;
    is_whole_ = true;
  }

  // Steps to the next member that has a value, or at least its first byte. False: the object has ended, is cut, or is
  // none.
  bool next() {
    if (!is_first_ && !is_whole_) return false;
    skip_space();
    if (!is_first_ && !take(',')) return false;
    is_first_ = false;
    is_whole_ = false;
    skip_space();
    // As nodes write them.
    if (!take_name("\"id\":") && !take_name("\"result\":") && !take_any_name()) return false;
    skip_space();
    if (at_ == end_) return false;
    const char* const value_end = json::skip_value(at_, end_);
    is_whole_ = value_end != nullptr;
    value_ = {at_, is_whole_ ? value_end : end_};
    at_ = value_.data() + value_.size();
    return true;
  }

  std::string_view name() const { return name_; }  // as it stands between its quotes
  std::string_view value() const { return value_; }
  bool is_whole() const { return is_whole_; }  // the value

  // After next() was false: the object has ended, and nothing but space follows.
  bool at_end() {
    skip_space();
    if (!take('}')) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  void skip_space() { at_ = json::skip_space(at_, end_); }

  // With its quotes and colon.
  template <std::size_t Size>
  bool take_name(const char (&literal)[Size]) {
    if (!json::begins_with(at_, end_, literal)) return false;
    name_ = {at_ + 1, Size - 4};
    at_ += Size - 1;
    return true;
  }

  bool take_any_name() {
    if (!take('"')) return false;
    const char* const quote = json::find_quote(at_, end_);
    if (quote == nullptr) return false;
    name_ = {at_, quote};
    at_ = quote + 1;
    skip_space();
    return take(':');
  }

  bool take(char byte) {
    if (at_ == end_ || *at_ != byte) return false;
    ++at_;
    return true;
  }

  const char* at_;
  const char* end_;
  std::string_view name_;
  std::string_view value_;
  bool is_first_ = true;
  bool is_whole_ = false;
};

bool is_number(std::string_view text) { return !text.empty() && std::ranges::all_of(text, json::is_digit); }

bool is_string(std::string_view text) { return text.size() >= 2 && text.front() == '"' && text.back() == '"'; }

bool is_id(std::string_view text) {
  return text.size() <= id_bytes_max && (is_string(text) || is_number(text) || text == "null");
}

bool is_short_scalar(std::string_view text) {
  return text.size() <= short_result_bytes_max && text.front() != '{' && text.front() != '[';
}

std::string_view inside(std::string_view quoted) {
  return is_string(quoted) && !quoted.contains('\\') ? quoted.substr(1, quoted.size() - 2) : std::string_view();
}

// Takes text from its end.
class Backwards {
 public:
  explicit Backwards(std::string_view text) : text_(text) {}

  void skip_space() {
    while (!text_.empty() && json::is_space(text_.back())) text_.remove_suffix(1);
  }

  bool take(std::string_view what) {
    if (!text_.ends_with(what)) return false;
    text_.remove_suffix(what.size());
    return true;
  }

  // A number, a literal or a string; empty if there is none, or its start is not in the text.
  std::string_view scalar() {
    const std::size_t start = text_.ends_with('"') ? string_start() : word_start();
    const std::string_view scalar = text_.substr(start);
    text_.remove_suffix(scalar.size());
    return scalar;
  }

 private:
  // A quote within a string has an odd number of backslashes before it, the one that opens it has none.
  std::size_t string_start() const {
    for (std::size_t at = text_.size() - 1; at-- > 0;) {
      if (text_[at] == '"' && (at == 0 || text_[at - 1] != '\\')) return at;
    }
    return text_.size();
  }

  std::size_t word_start() const {
    const auto is_word = [](char byte) { return json::is_digit(byte) || (byte >= 'a' && byte <= 'z'); };
    std::size_t start = text_.size();
    while (start > 0 && is_word(text_[start - 1])) --start;
    return start;
  }

  std::string_view text_;
};

// The id that is the last member of the message that ends here. The last bracket is the message's own, so what is
// before it is one of its members, and what looks like a member's name before that can be nothing else.
std::string_view last_member_id(std::string_view tail) {
  Backwards back(tail);
  back.skip_space();
  if (!back.take("}")) return {};
  back.skip_space();
  const std::string_view id = back.scalar();
  if (!is_id(id)) return {};
  back.skip_space();
  if (!back.take(":")) return {};
  back.skip_space();
  if (!back.take("\"id\"")) return {};
  back.skip_space();
  return back.take(",") ? id : std::string_view();
}

// Each member at most once.
struct Seen {
  bool id = false, result = false, error = false, method = false, params = false, repeated = false;

  void once(bool& which) {
    repeated |= which;
    which = true;
  }
};

void read_params(std::string_view params, Answer& answer) {
  for (Members members(params); members.next();) {
    const std::string_view value = members.value();
    if (members.name() == "subscription" && members.is_whole() && is_short_scalar(value)) answer.subscription = value;
    if (members.name() != "result" && members.name() != "error") continue;
    answer.item = value;
    answer.item_is_error = members.name() == "error";
  }
}

void read_member(const Members& member, Answer& answer, Seen& seen) {
  const std::string_view name = member.name(), value = member.value();
  if (name == "id") {
    seen.once(seen.id);
    if (member.is_whole() && is_id(value)) answer.id = value;
  } else if (name == "result") {
    seen.once(seen.result);
    if (member.is_whole() && is_short_scalar(value)) answer.value = value;
  } else if (name == "error") {
    seen.once(seen.error);
  } else if (name == "method") {
    seen.once(seen.method);
    if (member.is_whole()) answer.method = inside(value);
  } else if (name == "params") {
    seen.once(seen.params);
    read_params(value, answer);
  }
}

Answer::Kind kind_of(const Answer& answer, const Seen& seen) {
  if (seen.repeated) return Answer::Kind::unknown;
  if (seen.method)
    return seen.params && !seen.id && !seen.result && !seen.error ? Answer::Kind::notification : Answer::Kind::unknown;
  if (seen.result == seen.error || answer.id.empty()) return Answer::Kind::unknown;
  return seen.result ? Answer::Kind::result : Answer::Kind::error;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

Answer classify_answer(std::string_view head, std::string_view tail) {
  const std::string_view text = json::skip_space(head);
  if (text.starts_with('[')) return {.kind = Answer::Kind::batch};

  Answer answer;
  Seen seen;
  Members members(text);
  members.pass_first("\"jsonrpc\":\"2.0\"");  // as nodes begin
  while (members.next()) read_member(members, answer, seen);
  if (tail.empty()) {
    if (!members.at_end()) return {};
  } else if (answer.id.empty() && !seen.method) {
    answer.id = last_member_id(tail);
  }
  const Answer::Kind kind = kind_of(answer, seen);
  if (kind == Answer::Kind::unknown) return {};
  answer.kind = kind;
  return answer;
}

bool ends_subscription(const Answer& notification) {
  if (notification.kind != Answer::Kind::notification) return false;
  if (notification.item_is_error) return true;
  Members members(notification.item);
  if (notification.method == "author_extrinsicUpdate") {
    // A state by its name, or as the only member of an object.
    const std::string_view state = members.next() ? members.name() : inside(notification.item);
    return is_one_of(state, {"finalized", "finalityTimeout", "usurped", "dropped", "invalid"});
  }
  while (members.next()) {
    if (members.name() != "event") continue;
    const std::string_view event = inside(members.value());
    if (notification.method.starts_with("transaction")) {
      return is_one_of(event, {"finalized", "error", "invalid", "dropped"});
    }
    if (notification.method.starts_with("chainHead_")) return event == "stop";
    if (notification.method.starts_with("archive_")) {
      return is_one_of(event, {"storageDone", "storageError", "storageDiffDone", "storageDiffError"});
    }
    return false;
  }
  return false;
}

}  // namespace ringwall::rpc
