#include <ringwall/check.h>
#include <ringwall/upstream/rounds.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace ringwall::upstream {

bool stops_within(int stop_event, std::uint32_t wait_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  pollfd stop{.fd = stop_event, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(&stop, 1, std::max(0, static_cast<int>(left.count())));
    if (ready > 0) return true;
    if (ready == 0 && left.count() <= 0) return false;
  }
}

Result<std::unique_ptr<Rounds>> Rounds::start(std::vector<Round> rounds) {
  const int stop_event = eventfd(0, EFD_CLOEXEC);
  if (stop_event < 0) return fail_errno("eventfd", errno);
  std::unique_ptr<Rounds> made(new Rounds(stop_event));
  for (Round& round : rounds) {
    try {
      made->threads_.emplace_back([stop_event, round = std::move(round)] {
        for (std::uint32_t wait_ms = 0; !stops_within(stop_event, wait_ms);) wait_ms = round(stop_event);
      });
    } catch (const std::system_error& refused) {
      return fail_no_thread(refused.code().value());
    }
  }
  return made;
}

Rounds::~Rounds() {
  const std::uint64_t one = 1;
  RINGWALL_CHECK(write(stop_event_, &one, sizeof one) == sizeof one);
  for (std::thread& thread : threads_) thread.join();
  close(stop_event_);
}

}  // namespace ringwall::upstream
