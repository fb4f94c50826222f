#include "load/report.h"
#include "load/report_page.h"

namespace ringwall::load {

bool Report::held() const {
  if (is_interrupted()) return false;
  for (const Judged& each : judged) {
    if (!each.held) return false;
  }
  const bool is_found = !found || found->best.has_value();
  return is_found && has_measured(asked.plan.mode, outcome.tally);
}

std::string json_in_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  // In JSON these stand in strings only, where the escapes mean the same. "</script" and "<!--" end or change an
  // element.
  for (const char byte : json) {
    if (byte == '<') {
      out += "\\u003c";
    } else if (byte == '>') {
      out += "\\u003e";
    } else if (byte == '&') {
      out += "\\u0026";
    } else {
      out += byte;
    }
  }
  return out;
}

std::string html(const Report& report) {
  constexpr std::string_view place = "@REPORT@";
  const std::string_view page = report_page;
  const std::size_t at = page.find(place);
  return std::string(page.substr(0, at)) + json_in_script(json(report)) + std::string(page.substr(at + place.size()));
}

}  // namespace ringwall::load
