#include <ringwall/config/ledger.h>

#include <utility>

#include <fmt/core.h>

#include <ringwall/config/load.h>

namespace ringwall::config {

void Ledger::report(const std::string& field, std::string found, std::string expected) {
  std::string at = field;
  while (!at.empty() && !places_.contains(at)) {
    const std::size_t dot = at.rfind('.');
    at.resize(dot == at.npos ? 0 : dot);
  }
  const auto place = places_.find(at);
  report_at(place == places_.end() ? Place{} : place->second, field, std::move(found), std::move(expected));
}

void Ledger::report_at(const Place& place, const std::string& field, std::string found, std::string expected) {
  unsound_.insert(field);
  if (problems_.size() == problems_max) {
    ++untold_;
    return;
  }
  problems_.push_back({place.file, place.line, field, std::move(found), std::move(expected)});
}

std::vector<Problem> Ledger::take() {
  std::vector<Problem> problems = std::move(problems_);
  if (untold_ > 0) {
    problems.push_back({.found = fmt::format("{} more problems", untold_), .expected = "those above put right first"});
  }
  return problems;
}

}  // namespace ringwall::config
