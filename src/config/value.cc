#include <ringwall/config/value.h>

#include <fmt/core.h>

#include <ringwall/check.h>
#include <ringwall/config/address.h>

namespace ringwall::config {
namespace {

constexpr std::string_view cidr_expected = "ranges such as 10.0.0.0/8 or fd00::/8, with no bits set after the prefix";
constexpr std::string_view bind_expected = "ADDR:PORT such as 0.0.0.0:443, [::1]:443 or *:443";
constexpr std::string_view peer_expected = "HOST:PORT such as 127.0.0.1:9944, [::1]:9944 or node.example.com:9944";

bool is_text(const Given& given) { return given.shape == Shape::text || given.shape == Shape::string; }

Read<std::uint64_t> read_number(const Given& given, const Row& row) {
  const auto wrong = [&row] {
    const std::string_view examples = unit_examples(row.unit);
    const std::string bounds = bounds_text(row);
    return std::unexpected(examples.empty() ? bounds : fmt::format("a number{}, from {}", examples, bounds));
  };
  if (!is_text(given) && given.shape != Shape::integer) {
    return wrong();
  }
  if (!row.zero.empty() && is_text(given) && given.text == row.zero) {
    return 0;
  }
  const std::optional<std::uint64_t> number = parse_number(given.text, row.unit);
  const bool by_its_word = number && *number == 0 && !row.zero.empty();
  const bool is_negative = given.shape == Shape::integer && given.text.starts_with('-') && row.zero.empty();
  if (!is_negative && (!number || by_its_word)) {
    return wrong();
  }
  const bool is_less = is_negative || *number < row.minimum;
  if (is_less || *number > row.maximum) {
    return std::unexpected((is_less ? "at least " : "at most ") +
                           number_text(is_less ? row.minimum : row.maximum, row.unit));
  }
  return *number;
}

// Whether what stands after the last colon is a number, and no port.
bool has_wrong_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == text.npos ? "" : text.substr(colon + 1);
  return !port.empty() && port.find_first_not_of("0123456789") == port.npos && !parse_port(port);
}

template <typename Choice>
Read<Choice> read_choice(const Given& given) {
  for (const auto& [word, value] : words<Choice>()) {
    if (is_text(given) && given.text == word) {
      return value;
    }
  }
  return std::unexpected("one of " + words_text<Choice>());
}

template <typename Choice>
std::string choice_text(Choice value) {
  for (const auto& [word, candidate] : words<Choice>()) {
    if (candidate == value) {
      return fmt::format("\"{}\"", word);
    }
  }
  RINGWALL_CHECK(false);
}

// The items of a list; those of a flag or a variable are separated by commas, and an empty text is an empty list.
std::optional<std::vector<std::string>> items_of(const Given& given) {
  if (given.shape == Shape::list) {
    return given.items.size() <= list_items_max ? std::optional(given.items) : std::nullopt;
  }
  if (given.shape != Shape::text) {
    return std::nullopt;
  }
  std::vector<std::string> items;
  for (std::size_t start = 0; start < given.text.size();) {
    const std::size_t comma = std::min(given.text.find(',', start), given.text.size());
    items.push_back(given.text.substr(start, comma - start));
    start = comma + 1;
  }
  return items.size() <= list_items_max ? std::optional(std::move(items)) : std::nullopt;
}

std::string list_expected(std::string_view item) {
  return fmt::format("a list, of at most {}: {}", list_items_max, item);
}

std::string escaped(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    result += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return result + "\"";
}

std::string list_text(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) {
    text += (text.size() == 1 ? "" : ", ") + escaped(item);
  }
  return text + "]";
}

}  // namespace

template <>
Read<std::uint64_t> read(const Given& given, const Row& row) {
  return read_number(given, row);
}

template <>
Read<std::uint32_t> read(const Given& given, const Row& row) {
  const Read<std::uint64_t> number = read_number(given, row);
  return number ? Read<std::uint32_t>(static_cast<std::uint32_t>(*number)) : std::unexpected(number.error());
}

template <>
Read<std::string> read(const Given& given, const Row& row) {
  std::optional<std::string> text = is_text(given) ? row.syntax->normalise(given.text) : std::nullopt;
  if (!text) {
    return std::unexpected(std::string(row.syntax->expected));
  }
  return *std::move(text);
}

template <>
Read<std::vector<std::string>> read(const Given& given, const Row& row) {
  const std::optional<std::vector<std::string>> items = items_of(given);
  std::vector<std::string> result;
  for (const std::string& item : items.value_or(std::vector<std::string>{})) {
    if (std::optional<std::string> normal = row.syntax->normalise(item)) {
      result.push_back(std::move(*normal));
    }
  }
  if (!items || result.size() != items->size()) {
    return std::unexpected(list_expected(row.syntax->expected));
  }
  return result;
}

template <>
Read<std::vector<Cidr>> read(const Given& given, const Row&) {
  const std::optional<std::vector<std::string>> items = items_of(given);
  std::vector<Cidr> result;
  for (const std::string& item : items.value_or(std::vector<std::string>{})) {
    if (const std::optional<Cidr> cidr = parse_cidr(item)) {
      result.push_back(*cidr);
    }
  }
  if (!items || result.size() != items->size()) {
    return std::unexpected(list_expected(cidr_expected));
  }
  return result;
}

template <>
Read<Endpoint> read(const Given& given, const Row& row) {
  std::optional<Endpoint> endpoint;
  if (is_text(given)) {
    endpoint = row.bind ? parse_bind_address(given.text) : parse_peer_address(given.text);
  }
  if (!endpoint && is_text(given) && has_wrong_port(given.text)) {
    return std::unexpected("a port from 1 to 65535");
  }
  if (!endpoint) {
    return std::unexpected(std::string(row.bind ? bind_expected : peer_expected));
  }
  return *std::move(endpoint);
}

template <>
Read<std::vector<Endpoint>> read(const Given& given, const Row&) {
  const std::optional<std::vector<std::string>> items = items_of(given);
  std::vector<Endpoint> result;
  for (const std::string& item : items.value_or(std::vector<std::string>{})) {
    if (std::optional<Endpoint> endpoint = parse_peer_address(item)) {
      result.push_back(*std::move(endpoint));
    }
  }
  if (!items || result.size() != items->size()) {
    return std::unexpected(list_expected(peer_expected));
  }
  return result;
}

template <>
Read<Changes> read(const Given& given, const Row&) {
  return read_choice<Changes>(given);
}

template <>
Read<Balance> read(const Given& given, const Row&) {
  return read_choice<Balance>(given);
}

template <>
Read<log::Level> read(const Given& given, const Row&) {
  return read_choice<log::Level>(given);
}

template <>
Read<log::Format> read(const Given& given, const Row&) {
  return read_choice<log::Format>(given);
}

template <>
Read<ListenerKind> read(const Given& given, const Row&) {
  return read_choice<ListenerKind>(given);
}

template <>
Read<Mode> read(const Given& given, const Row&) {
  return read_choice<Mode>(given);
}

template <>
Read<std::optional<Mode>> read(const Given& given, const Row&) {
  const Read<Mode> mode = read_choice<Mode>(given);
  return mode ? Read<std::optional<Mode>>(*mode) : std::unexpected(mode.error());
}

template <>
Read<HostHeader> read(const Given& given, const Row&) {
  return read_choice<HostHeader>(given);
}

template <>
Read<ProxyProtocol> read(const Given& given, const Row&) {
  return read_choice<ProxyProtocol>(given);
}

template <>
Read<rpc::Policy> read(const Given& given, const Row&) {
  return read_choice<rpc::Policy>(given);
}

template <>
Read<Switch> read(const Given& given, const Row&) {
  return read_choice<Switch>(given);
}

template <>
Read<OverRate> read(const Given& given, const Row&) {
  return read_choice<OverRate>(given);
}

template <>
Read<Offload> read(const Given& given, const Row&) {
  return read_choice<Offload>(given);
}

template <>
Read<DrainCode> read(const Given& given, const Row&) {
  return read_choice<DrainCode>(given);
}

template <>
std::string value_text(const std::uint64_t& value, const Row& row) {
  if (value == 0 && !row.zero.empty()) {
    return escaped(row.zero);
  }
  const std::string text = number_text(value, row.unit);
  return row.unit == Unit::none ? text : escaped(text);
}

template <>
std::string value_text(const std::uint32_t& value, const Row& row) {
  return value_text(std::uint64_t{value}, row);
}

template <>
std::string value_text(const std::string& value, const Row&) {
  return escaped(value);
}

template <>
std::string value_text(const std::vector<std::string>& value, const Row&) {
  return list_text(value);
}

template <>
std::string value_text(const std::vector<Cidr>& value, const Row&) {
  std::vector<std::string> items;
  for (const Cidr& cidr : value) {
    items.push_back(to_text(cidr));
  }
  return list_text(items);
}

template <>
std::string value_text(const std::vector<Endpoint>& value, const Row&) {
  std::vector<std::string> items;
  for (const Endpoint& endpoint : value) {
    items.push_back(to_text(endpoint));
  }
  return list_text(items);
}

template <>
std::string value_text(const Balance& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const Changes& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const Endpoint& value, const Row&) {
  return value.port == 0 ? "none" : escaped(to_text(value));
}

template <>
std::string value_text(const log::Level& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const log::Format& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const ListenerKind& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const Mode& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const std::optional<Mode>& value, const Row&) {
  return value ? choice_text(*value) : "\"\"";
}

template <>
std::string value_text(const HostHeader& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const ProxyProtocol& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const rpc::Policy& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const Switch& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const OverRate& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const Offload& value, const Row&) {
  return choice_text(value);
}

template <>
std::string value_text(const DrainCode& value, const Row&) {
  return choice_text(value);
}

std::string bounds_text(const Row& row) {
  if (row.maximum == 0) {
    return "";
  }
  const std::string word = row.zero.empty() ? "" : fmt::format("\"{}\", or ", row.zero);
  const std::uint64_t minimum = row.zero.empty() ? row.minimum : std::max<std::uint64_t>(row.minimum, 1);
  return fmt::format("{}{} to {}", word, number_text(minimum, row.unit), number_text(row.maximum, row.unit));
}

}  // namespace ringwall::config
