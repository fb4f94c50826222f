#include <ringwall/check.h>
#include <ringwall/upstream/offers.h>

#include <algorithm>
#include <utility>

namespace ringwall::upstream {

Result<std::unique_ptr<Offers>> Offers::start(std::span<const Target* const> targets, const std::vector<bool>& asked,
                                              rpc::MethodTable table, rpc::MethodSettings settings, Log log,
                                              OfferPace pace) {
  std::unique_ptr<Offers> offers(new Offers(std::move(table), std::move(settings), std::move(log), pace));
  RINGWALL_CHECK(asked.size() == targets.size());
  std::vector<Rounds::Round> rounds;
  for (const Target* target : targets) {
    Row& row = *offers->rows_.emplace_back(std::make_unique<Row>());
    row.target = target;
    row.is_asked = asked[offers->rows_.size() - 1];
    offers->publish(row);
    rounds.emplace_back([&all = *offers, &row](int stop_event) { return all.ask(row, stop_event); });
  }
  auto started = Rounds::start(std::move(rounds));
  if (!started) return std::unexpected(started.error());
  offers->rounds_ = std::move(*started);
  return offers;
}

Offers::Offers(rpc::MethodTable table, rpc::MethodSettings settings, Log log, OfferPace pace)
    : table_(std::move(table)), settings_(std::move(settings)), log_(std::move(log)), pace_(pace) {}

Offers::~Offers() = default;

std::shared_ptr<const std::string> Offers::result_text(std::size_t target_index) const {
  RINGWALL_CHECK(target_index < rows_.size());
  const Row& row = *rows_[target_index];
  const std::lock_guard lock(row.mutex);
  return row.text;
}

void Offers::change(rpc::MethodTable table, rpc::MethodSettings settings) {
  const std::lock_guard lock(rules_mutex_);
  table_ = std::move(table);
  settings_ = std::move(settings);
  for (const auto& row : rows_) {
    publish(*row);
    if (!row->offer.empty()) report(*row);
  }
}

void Offers::ask_of(std::size_t target_index, bool is_asked) {
  RINGWALL_CHECK(target_index < rows_.size());
  rows_[target_index]->is_asked.store(is_asked, std::memory_order_relaxed);
}

void Offers::take(Row& row, const Offer& offer) {
  const std::lock_guard lock(rules_mutex_);
  if (offer == row.offer) return;
  row.offer = offer;
  publish(row);
  report(row);
}

void Offers::publish(Row& row) {
  auto text = std::make_shared<const std::string>(table_.methods_result(row.offer));
  const std::lock_guard lock(row.mutex);
  row.text.swap(text);
}

void Offers::log_new(const std::vector<LogLine>& lines, const std::vector<LogLine>& told) {
  const std::lock_guard lock(log_mutex_);
  for (const LogLine& line : lines) {
    if (std::ranges::find(told, line.text, &LogLine::text) == told.end()) log_(line);
  }
}

void Offers::report(Row& row) {
  std::vector<LogLine> lines = report_offer(row.target->name(), row.offer, table_, settings_);
  log_new(lines, row.told);
  row.told = std::move(lines);
}

std::uint32_t Offers::ask(Row& row, int stop_event) {
  if (!row.is_asked.load(std::memory_order_relaxed)) return pace_.retry_ms;
  const Result<Offer> offer = ask_offer(*row.target, stop_event, pace_.answer_ms);
  if (stops_within(stop_event, 0)) return 0;
  if (!offer) {
    // A node that starts, or starts again, is no news; who wonders why nothing is known of it looks at debug lines.
    std::vector<LogLine> failure{
        {.level = LogLine::Level::debug,
         .text = "upstream " + row.target->name() + ": its methods are not known: " + offer.error().message,
         .upstream = row.target->name()}};
    log_new(failure, row.told_of_failure);
    row.told_of_failure = std::move(failure);
    return pace_.retry_ms;
  }
  row.told_of_failure.clear();
  take(row, *offer);
  return pace_.again_ms;
}

}  // namespace ringwall::upstream
