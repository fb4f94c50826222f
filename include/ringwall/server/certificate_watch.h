// certificate_watch.h: the thread that has certificates read again when their files change, and once a day.
//
// A change is let come to rest first, since key and certificate are two files. What cannot be read then, or does not
// fit together, is tried again for a while. Owner: the server, on any of its threads; the calls come on a thread of its
// own.
#pragma once

#include <ringwall/error.h>
#include <ringwall/server/file_watch.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::server {

struct WatchPace {
  std::chrono::milliseconds rest{500};        // without another change, before the files are read
  std::chrono::milliseconds rest_max{5'000};  // from the first change on, however many follow
  std::chrono::milliseconds retry{1'000};     // after files that do not fit
  std::chrono::milliseconds retry_for{60'000};
  std::chrono::milliseconds look{60'000};  // between two looks at the files, for what inotify does not tell
  std::chrono::milliseconds day{86'400'000};
};

class CertificateWatch {
 public:
  // Reads the files again. False: not all of it can be served, and it is worth another try.
  using Renew = std::function<bool()>;
  // Once a day, after another Renew.
  using Daily = std::function<void()>;

  // What changes from here on is seen, before start() too. Fails when no eventfd can be had.
  [[nodiscard]] static Result<std::unique_ptr<CertificateWatch>> create(std::vector<std::string> files, Renew renew,
                                                                        Daily daily, WatchPace pace = {});
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;
  // Waits for a call that is under way.
  ~CertificateWatch();

  // The calls come from here on. Once; fails when no thread can be had.
  [[nodiscard]] Result<void> start();

  // These files from now on. Any thread, also from within a call.
  void watch(std::vector<std::string> files);

 private:
  using Clock = std::chrono::steady_clock;

  CertificateWatch(int event, Renew renew, Daily daily, WatchPace pace);
  void run();
  // Until then, or until something happens. What that is, is noted.
  void wait(Clock::time_point until);
  void note_change();
  void read_files();
  [[nodiscard]] bool is_ending();
  void take_files();
  void wake();

  const int event_;  // readable when files_ or ending_ has changed
  const Renew renew_;
  const Daily daily_;
  const WatchPace pace_;
  std::mutex mutex_;  // of the next two
  std::vector<std::string> files_;
  bool ending_ = false;
  // Of the thread:
  FileWatch watch_;
  std::vector<std::string> watched_;
  std::optional<Clock::time_point> first_change_{};
  std::optional<Clock::time_point> due_{};  // to read
  std::optional<Clock::time_point> retry_until_{};
  std::thread thread_;
};

}  // namespace ringwall::server
