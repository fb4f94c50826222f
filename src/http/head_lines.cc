#include "head_lines.h"

namespace ringwall::http {
namespace {

std::unexpected<Refusal> bad(std::string_view why) { return std::unexpected(Refusal{400, why}); }

std::string_view what_is_wrong_with_value(std::string_view value) {
  if (value.find('\r') != std::string_view::npos) return "a field's value has a CR without LF; lines end in CRLF";
  if (value.find('\0') != std::string_view::npos) return "a field's value has a NUL; only text is allowed";
  return "a field's value has a control character; only text, space and tab are allowed";
}

std::expected<Header, Refusal> parse_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    return bad("a field line begins with a space; a value must stand on one line, after its name");
  }
  std::size_t name_bytes = 0;
  while (name_bytes < line.size() && is_token_char(line[name_bytes])) ++name_bytes;
  if (name_bytes == line.size()) return bad("a field line has no colon; write Name: value");
  if (line[name_bytes] == ' ' || line[name_bytes] == '\t') {
    return bad("a field's name is followed by a space; the colon must come at once");
  }
  if (line[name_bytes] != ':') return bad("a field's name has a character that names cannot have");
  if (name_bytes == 0) return bad("a field has no name; write Name: value");
  const std::string_view value = trim(line.substr(name_bytes + 1));
  if (!is_field_text(value)) return bad(what_is_wrong_with_value(value));
  return Header{line.substr(0, name_bytes), value};
}

}  // namespace

std::expected<std::size_t, Refusal> find_fields_end(std::string_view bytes) {
  std::size_t line_start = 0;
  for (std::size_t lines = 0;; ++lines) {
    const std::size_t lf = bytes.find('\n', line_start);
    if (lf == std::string_view::npos) return 0;
    if (lf == line_start || bytes[lf - 1] != '\r') return bad("a line ends in LF alone; lines end in CRLF");
    if (lf == line_start + 1) return lf + 1;
    if (lines == headers_max) return std::unexpected(Refusal{431, "more than 64 header fields; send fewer"});
    line_start = lf + 1;
  }
}

std::expected<void, Refusal> parse_field_lines(std::string_view lines, FieldList& fields) {
  while (!lines.empty()) {
    const std::size_t lf = lines.find('\n');
    const auto field = parse_field_line(lines.substr(0, lf - 1));
    if (!field) return std::unexpected(field.error());
    if (!fields.add(*field)) return std::unexpected(Refusal{431, "more than 64 header fields; send fewer"});
    lines.remove_prefix(lf + 1);
  }
  return {};
}

}  // namespace ringwall::http
