#include <ringwall/check.h>
#include <ringwall/upstream/offers.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <system_error>
#include <utility>

namespace ringwall::upstream {

Result<std::unique_ptr<Offers>> Offers::start(std::span<const Target* const> targets, const rpc::MethodTable& table,
                                              rpc::MethodSettings settings, Log log, OfferPace pace) {
  const int stop_event = eventfd(0, EFD_CLOEXEC);
  if (stop_event < 0) return fail_errno("eventfd", errno);
  std::unique_ptr<Offers> offers(new Offers(stop_event, table, std::move(settings), std::move(log), pace));
  for (const Target* target : targets) {
    Row& row = *offers->rows_.emplace_back(std::make_unique<Row>());
    offers->publish(row, {});
    if (target == nullptr) continue;
    try {
      row.thread = std::thread(&Offers::run, offers.get(), std::ref(row), std::cref(*target));
    } catch (const std::system_error& refused) {
      return fail_no_thread(refused.code().value());
    }
  }
  return offers;
}

Offers::Offers(int stop_event, const rpc::MethodTable& table, rpc::MethodSettings settings, Log log, OfferPace pace)
    : stop_event_(stop_event), table_(table), settings_(std::move(settings)), log_(std::move(log)), pace_(pace) {}

Offers::~Offers() {
  const std::uint64_t one = 1;
  RINGWALL_CHECK(write(stop_event_, &one, sizeof one) == sizeof one);
  for (const auto& row : rows_) {
    if (row->thread.joinable()) row->thread.join();
  }
  close(stop_event_);
}

std::shared_ptr<const std::string> Offers::result_text(std::size_t target_index) const {
  RINGWALL_CHECK(target_index < rows_.size());
  const Row& row = *rows_[target_index];
  const std::lock_guard lock(row.mutex);
  return row.text;
}

void Offers::publish(Row& row, const Offer& offer) {
  auto text = std::make_shared<const std::string>(table_.methods_result(offer));
  const std::lock_guard lock(row.mutex);
  row.text.swap(text);
}

void Offers::log_new(const std::vector<OfferLine>& lines, const std::vector<OfferLine>& told) {
  const std::lock_guard lock(log_mutex_);
  for (const OfferLine& line : lines) {
    if (std::ranges::find(told, line.text, &OfferLine::text) == told.end()) log_(line);
  }
}

void Offers::run(Row& row, const Target& target) {
  Offer last;
  std::vector<OfferLine> told;
  std::vector<OfferLine> told_of_failure;
  std::uint32_t wait_ms = 0;
  while (!stops_within(wait_ms)) {
    const Result<Offer> offer = ask_offer(target, stop_event_, pace_.answer_ms);
    if (stops_within(0)) return;
    wait_ms = offer ? pace_.again_ms : pace_.retry_ms;
    if (!offer) {
      // A node that starts, or starts again, is no news; who wonders why nothing is known of it looks at debug lines.
      std::vector<OfferLine> failure{
          {.level = OfferLine::Level::debug,
           .text = "upstream " + target.name() + ": its methods are not known: " + offer.error().message}};
      log_new(failure, told_of_failure);
      told_of_failure = std::move(failure);
      continue;
    }
    told_of_failure.clear();
    if (*offer == last) continue;
    publish(row, *offer);
    std::vector<OfferLine> lines = report_offer(target.name(), *offer, table_, settings_);
    log_new(lines, told);
    told = std::move(lines);
    last = *offer;
  }
}

bool Offers::stops_within(std::uint32_t wait_ms) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  pollfd stop{.fd = stop_event_, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(&stop, 1, std::max(0, static_cast<int>(left.count())));
    if (ready > 0) return true;
    if (ready == 0 && left.count() <= 0) return false;
  }
}

}  // namespace ringwall::upstream
