// ledger.h: where each field was written, and what is wrong so far.
//
// Owned by load() while it runs. Later sources overwrite the place of a field, as they overwrite its value.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/config/given.h>
#include <ringwall/config/problem.h>

namespace ringwall::config {

class Ledger {
 public:
  void written(const std::string& field, const Place& place) { places_[field] = place; }

  // True exactly when some source wrote this very field.
  [[nodiscard]] bool is_written(const std::string& field) const { return places_.contains(field); }

  // False once a problem with this very field was reported: what depends on it need not be judged.
  [[nodiscard]] bool is_sound(const std::string& field) const { return !unsound_.contains(field); }

  void mark_unsound(const std::string& field) { unsound_.insert(field); }

  // At the place where the field was written; failing that, the section around it.
  void report(const std::string& field, std::string found, std::string expected);
  void report_at(const Place& place, const std::string& field, std::string found, std::string expected);

  // In the order of reporting; with more than problems_max, a last one that counts the rest.
  [[nodiscard]] std::vector<Problem> take();
  [[nodiscard]] bool empty() const { return problems_.empty(); }

 private:
  std::map<std::string, Place> places_;
  std::set<std::string> unsound_;
  std::vector<Problem> problems_;
  std::size_t untold_ = 0;
};

}  // namespace ringwall::config
