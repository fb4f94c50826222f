#include <ringwall/server/reloader.h>

#include <pthread.h>

#include <system_error>
#include <utility>

namespace ringwall::server {

namespace {

Reloader::Outcome refusal() { return fail("reload refused, nothing has changed: Ringwall is stopping"); }

}  // namespace

Result<void> Reloader::start() {
  try {
    thread_ = std::thread(&Reloader::run, this);
  } catch (const std::system_error& refused) {
    return fail_no_thread(refused.code().value());
  }
  return {};
}

void Reloader::ask(Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.push_back(std::move(done));
      changed_.notify_one();
      return;
    }
  }
  done(refusal());
}

void Reloader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  for (const Done& done : std::exchange(waiting_, {})) done(refusal());
}

void Reloader::run() {
  pthread_setname_np(pthread_self(), "reload");
  for (std::unique_lock lock(mutex_);;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::vector<Done> asked = std::exchange(waiting_, {});
    lock.unlock();
    const Outcome outcome = reload_();
    ++(outcome ? ok_ : refused_);
    for (const Done& done : asked) done(outcome);
    lock.lock();
  }
}

}  // namespace ringwall::server
