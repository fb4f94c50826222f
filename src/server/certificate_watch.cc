#include <ringwall/check.h>
#include <ringwall/server/certificate_watch.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace ringwall::server {

Result<std::unique_ptr<CertificateWatch>> CertificateWatch::create(std::vector<std::string> files, Renew renew,
                                                                   Daily daily, WatchPace pace) {
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return fail_errno("eventfd", errno);
  std::unique_ptr<CertificateWatch> watch(new CertificateWatch(event, std::move(renew), std::move(daily), pace));
  watch->files_ = std::move(files);
  watch->take_files();
  return watch;
}

Result<void> CertificateWatch::start() {
  try {
    thread_ = std::thread(&CertificateWatch::run, this);
  } catch (const std::system_error& refused) {
    return fail_no_thread(refused.code().value());
  }
  return {};
}

CertificateWatch::CertificateWatch(int event, Renew renew, Daily daily, WatchPace pace)
    : event_(event), renew_(std::move(renew)), daily_(std::move(daily)), pace_(pace) {}

CertificateWatch::~CertificateWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
  close(event_);
}

void CertificateWatch::watch(std::vector<std::string> files) {
  {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
  }
  wake();
}

void CertificateWatch::wake() {
  const std::uint64_t one = 1;
  RINGWALL_CHECK(write(event_, &one, sizeof one) == sizeof one);
}

bool CertificateWatch::is_ending() {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void CertificateWatch::take_files() {
  {
    const std::lock_guard lock(mutex_);
    watched_ = files_;
  }
  watch_.watch(watched_);
}

void CertificateWatch::run() {
  Clock::time_point look_at = Clock::now() + pace_.look;
  Clock::time_point day_at = Clock::now() + pace_.day;
  while (!is_ending()) {
    wait(std::min({look_at, day_at, due_.value_or(look_at)}));
    const Clock::time_point now = Clock::now();
    if (now >= look_at) {
      look_at = now + pace_.look;
      if (watch_.looks_changed()) note_change();
    }
    if (due_ && now >= *due_) read_files();
    if (now >= day_at) {
      day_at = now + pace_.day;
      read_files();
      daily_();
    }
  }
}

void CertificateWatch::wait(Clock::time_point until) {
  std::array<pollfd, 2> sources{pollfd{.fd = event_, .events = POLLIN, .revents = 0},
                                pollfd{.fd = watch_.descriptor(), .events = POLLIN, .revents = 0}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  (void)poll(sources.data(), sources.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000)));
  if (sources[0].revents != 0) {
    std::uint64_t count = 0;
    (void)!read(event_, &count, sizeof count);
    std::vector<std::string> files;
    {
      const std::lock_guard lock(mutex_);
      files = files_;
    }
    if (files != watched_) {
      if (watch_.looks_changed()) note_change();  // which the new list would not tell of
      take_files();
    }
  }
  if (sources[1].revents != 0 && watch_.take()) note_change();
}

void CertificateWatch::note_change() {
  const Clock::time_point now = Clock::now();
  if (!first_change_) first_change_ = now;
  due_ = std::min(now + pace_.rest, *first_change_ + pace_.rest_max);
  retry_until_ = now + pace_.retry_for;
}

void CertificateWatch::read_files() {
  take_files();  // before they are read, so that a change meanwhile is seen
  first_change_.reset();
  due_.reset();
  const bool is_complete = renew_();
  const Clock::time_point now = Clock::now();
  if (!is_complete && retry_until_ && now < *retry_until_) due_ = now + pace_.retry;
}

}  // namespace ringwall::server
