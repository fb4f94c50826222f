#include <string>
#include <string_view>

#include <fmt/core.h>

#include <ringwall/server/doctor.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>

namespace ringwall::server {
namespace {

std::string_view word(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::weak:
      return "weak";
    case Verdict::bad:
      break;
  }
  return "BAD";
}

}  // namespace

int run_doctor(const Options&) {
  bool runs = true;
  std::string text;
  for (const Finding& finding : judge(observe())) {
    text += fmt::format("{:<5}{:<20}{}\n", word(finding.verdict), finding.subject, finding.found);
    if (!finding.remedy.empty()) {
      text += fmt::format("{:<25}{}\n", "", finding.remedy);
    }
    runs = runs && finding.verdict != Verdict::bad;
  }
  text += fmt::format(
      "\n{}\n", runs ? "Ringwall can run here." : "Ringwall cannot run here until what is marked BAD is put right.");
  return print(text, runs ? 0 : 1);
}

}  // namespace ringwall::server
