#include "load/interrupter.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace ringwall::load {

namespace {

std::atomic<int> stop_event = -1;
std::atomic<int> signal_came = 0;
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number) {
  const int saved = errno;
  signal_came = number;
  const std::uint64_t one = 1;
  (void)!write(stop_event, &one, sizeof one);
  errno = saved;
}

}  // namespace

Result<Interrupter> Interrupter::install() {
  stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event < 0) return fail_errno("no eventfd", errno);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) sigaction(number, &action, nullptr);
  return Interrupter(stop_event);
}

int Interrupter::signal() const { return signal_came; }

}  // namespace ringwall::load
