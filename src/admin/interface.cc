#include <ringwall/admin/bans_file.h>
#include <ringwall/admin/interface.h>
#include <ringwall/admin/unix_socket.h>
#include <ringwall/config/given.h>
#include <ringwall/config/units.h>
#include <ringwall/log/log.h>
#include <ringwall/metrics/text.h>

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace ringwall::admin {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* handing_over_text = "a new process is starting: nothing has changed, ask again in a moment";
constexpr std::string_view json_type = "application/json";
constexpr std::chrono::milliseconds retry_ms{1000};  // of bans that a shard has not taken
constexpr std::chrono::milliseconds idle_ms{60'000};

std::uint64_t now_s() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

std::uint64_t unix_now_s() { return static_cast<std::uint64_t>(std::time(nullptr)); }

Response text(int status, std::string body) { return {.status = status, .body = std::move(body) + "\n"}; }
Response json(std::string body) { return {.status = 200, .body = std::move(body), .content_type = json_type}; }

// Of `limit`; nothing where it is no number.
std::optional<std::size_t> rows_of(const Request& request, std::size_t otherwise) {
  const std::string_view given = request.parameter("limit");
  if (given.empty()) return otherwise;
  const std::optional<std::uint64_t> number = config::parse_number(given, config::Unit::none);
  return number && *number >= 1 && *number <= rows_max ? std::optional<std::size_t>(*number) : std::nullopt;
}

Response bad_limit() { return text(400, fmt::format("limit: expected a number from 1 to {}", rows_max)); }

}  // namespace

struct Interface::Route {
  http::Method method;
  std::string_view path;
  Access access;
  Answer (Interface::*answer)(const Request&);
};

Result<std::unique_ptr<Interface>> Interface::create(Sockets sockets, Control control) {
  const int stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event < 0) return fail_errno("eventfd", errno);
  return std::unique_ptr<Interface>(new Interface(std::move(sockets), std::move(control), stop_event));
}

Result<void> Interface::serve() {
  try {
    thread_ = std::thread(&Interface::run, this);
  } catch (const std::system_error& refused) {
    return fail_no_thread(refused.code().value());
  }
  return {};
}

Interface::Interface(Sockets sockets, Control control, int stop_event)
    : control_(std::move(control)),
      unix_path_(std::move(sockets.unix_path)),
      stop_event_(stop_event),
      shards_(control_),
      report_(control_),
      banned_version_(control_.shards, bans_.version()),
      server_(sockets.tcp, sockets.unix_socket,
              [this](const Request& request, Peer peer) { return handle(request, peer); }) {
  if (control_.bans_file.empty()) return;
  if (Result<void> loaded = load_bans(control_.bans_file, bans_, now_s(), unix_now_s()); !loaded) {
    log::warning("bans", loaded.error().message);
  }
  // Before anybody is let in: the shards read their letters first.
  const auto ranges = bans_.ranges();
  for (std::size_t index = 0; index < control_.shards; ++index) {
    control_.post(index, [ranges](shard::Shard& shard) { shard.service().guard.set_bans(ranges); });
  }
}

Interface::~Interface() {
  const std::uint64_t one = 1;
  (void)!write(stop_event_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  if (!unix_path_.empty() && !is_replaced_) remove_unix(unix_path_);
  close(stop_event_);
}

void Interface::run() {
  pthread_setname_np(pthread_self(), "admin");
  if (!all_know_bans()) publish_bans();
  std::uint64_t stops = 0;
  while (::read(stop_event_, &stops, sizeof stops) < 0) {
    const bool all_know = all_know_bans();
    std::chrono::milliseconds wait = all_know ? idle_ms : retry_ms;
    if (const std::uint64_t next = bans_.next_s(); next != UINT64_MAX) {
      wait = std::min<std::chrono::milliseconds>(wait, std::chrono::seconds(std::max(next, now_s()) - now_s()));
    }
    server_.serve(stop_event_, wait);
    if (bans_.expire(now_s()) || !all_know) publish_bans();
  }
}

Answer Interface::handle(const Request& request, Peer peer) {
  using http::Method;
  static constexpr std::array<Route, 13> routes{{
      {Method::get, "/metrics", Access::everyone, &Interface::metrics},
      {Method::get, "/health", Access::everyone, &Interface::health},
      {Method::get, "/ready", Access::everyone, &Interface::ready},
      {Method::get, "/status", Access::reading, &Interface::status},
      {Method::get, "/sessions", Access::reading, &Interface::sessions},
      {Method::get, "/top", Access::reading, &Interface::top},
      {Method::get, "/bans", Access::reading, &Interface::list_bans},
      {Method::post, "/reload", Access::changing, &Interface::reload},
      {Method::post, "/drain", Access::changing, &Interface::drain},
      {Method::post, "/upgrade", Access::changing, &Interface::upgrade},
      {Method::post, "/log-level", Access::changing, &Interface::log_level},
      {Method::post, "/ban", Access::changing, &Interface::ban},
      {Method::post, "/unban", Access::changing, &Interface::unban},
  }};
  const auto route = std::ranges::find(routes, std::string_view(request.path), &Route::path);
  if (route == routes.end()) {
    std::string known;
    for (const Route& row : routes) known += fmt::format("{}{}", known.empty() ? "there are " : ", ", row.path);
    return text(404, known);
  }
  if (request.method != route->method && !(request.method == Method::head && route->method == Method::get)) {
    return text(405, fmt::format("{} takes {}", route->path, route->method == Method::get ? "GET" : "POST"));
  }
  if (const http::Refusal* refused = refusal(route->access, peer, request, control_.changes)) {
    return text(refused->status, std::string(refused->why));
  }
  return (this->*route->answer)(request);
}

// What it is ------------------------------------------------------------------------------------------------------

Answer Interface::metrics(const Request&) {
  report_.take(shards_);
  return Response{
      .status = 200, .body = report_.prometheus_text(bans_.rows().size()), .content_type = metrics::text_content_type};
}

std::string Interface::silent_shards() {
  struct Nothing {};
  const auto answers = shards_.ask<Nothing>([](shard::Shard&, std::size_t, Nothing&) {});
  std::string silent;
  for (std::size_t index = 0; index < answers.size(); ++index) {
    if (answers[index] || shards_.has_ended(index)) continue;
    silent += fmt::format("{}{}", silent.empty() ? "no answer of shard " : ", ", index);
  }
  return silent;
}

Answer Interface::health(const Request&) {
  const std::string silent = silent_shards();
  return silent.empty() ? text(200, "healthy") : text(503, silent);
}

Answer Interface::ready(const Request& request) {
  if (std::string silent = silent_shards(); !silent.empty()) return text(503, std::move(silent));
  const Readiness readiness = control_.readiness(request.parameter("upstream"));
  if (!readiness.is_known) return text(404, readiness.why);
  if (!readiness.ready) return text(503, readiness.why);
  return text(200, readiness.why.empty() ? "ready" : "ready, but " + readiness.why);
}

Answer Interface::status(const Request&) {
  report_.take(shards_);
  return json(report_.status_json());
}

Answer Interface::sessions(const Request& request) {
  const std::optional<std::size_t> rows = rows_of(request, rows_default);
  if (!rows) return bad_limit();
  const std::string_view address = request.parameter("address");
  if (address.empty()) return json(sessions_json(shards_, std::nullopt, *rows));
  const Result<config::Cidr> range = parse_range(address);
  return range ? json(sessions_json(shards_, *range, *rows)) : text(400, range.error().message);
}

Answer Interface::top(const Request& request) {
  const std::optional<std::size_t> rows = rows_of(request, talkers_default);
  if (!rows) return bad_limit();
  const std::optional<By> by = parse_by(request.parameter("by"));
  return by ? json(top_.json(shards_, *by, *rows)) : text(400, "by: expected units, calls or bytes");
}

Answer Interface::list_bans(const Request&) {
  Json list = Json::array();
  for (const Bans::Row& row : bans_.rows()) {
    const std::uint64_t now = now_s();
    list.push_back({{"address", to_text(row.range)}, {"left_s", row.until_s > now ? row.until_s - now : 0}});
  }
  return json(Json{{"bans", std::move(list)}}.dump(2) + "\n");
}

// What is done to it ----------------------------------------------------------------------------------------------

Answer Interface::reload(const Request&) {
  const auto promise = std::make_shared<std::promise<Response>>();
  std::future<Response> answer = promise->get_future();
  control_.reload([promise](const Result<std::string>& done) {
    promise->set_value(done ? text(200, *done) : text(409, done.error().message));
  });
  return answer;
}

Answer Interface::drain(const Request&) {
  control_.drain();
  return text(200, "draining");
}

Answer Interface::upgrade(const Request&) {
  if (const Result<void> begun = control_.upgrade(); !begun) return text(409, begun.error().message);
  return text(200, "a new process starts; the log tells what becomes of it");
}

Answer Interface::log_level(const Request& request) {
  const Result<void> set = control_.set_log_level(request.parameter("level"));
  return set ? text(200, fmt::format("log level: {}", request.parameter("level"))) : text(400, set.error().message);
}

// One who is told that it holds must be able to rely on the process after this one, which has read the file by then.
Answer Interface::ban(const Request& request) {
  if (control_.is_handing_over()) return text(503, handing_over_text);
  const Result<config::Cidr> range = parse_ban_range(request.parameter("address"));
  if (!range) return text(400, range.error().message);
  const Result<std::uint64_t> time_s = parse_ban_time(request.parameter("for"));
  if (!time_s) return text(400, time_s.error().message);
  if (!bans_.add(*range, now_s() + *time_s)) return text(409, fmt::format("there are {} bans already", bans_max));
  publish_bans();
  log::info("ban", fmt::format("ban: {} is shut out for {}, as the admin interface was asked", to_text(*range),
                               config::number_text(*time_s, config::Unit::seconds)));
  return text(200, fmt::format("banned: {} for {}{}", to_text(*range),
                               config::number_text(*time_s, config::Unit::seconds), kept_text()));
}

Answer Interface::unban(const Request& request) {
  if (control_.is_handing_over()) return text(503, handing_over_text);
  const Result<config::Cidr> range = parse_range(request.parameter("address"));
  if (!range) return text(400, range.error().message);
  if (!bans_.remove(*range)) return text(404, fmt::format("there is no ban of {}", to_text(*range)));
  publish_bans();
  log::info("ban", fmt::format("ban: {} is let in again, as the admin interface was asked", to_text(*range)));
  return text(200, fmt::format("no longer banned: {}{}", to_text(*range), kept_text()));
}

// As they are now they are the next process', too; or why not.
std::string Interface::kept_text() const {
  if (control_.bans_file.empty()) return {};
  const Result<void> saved = save_bans(control_.bans_file, bans_, now_s(), unix_now_s());
  return saved ? "" : "; the next process will not know of it: " + saved.error().message;
}

bool Interface::all_know_bans() const {
  return std::ranges::all_of(banned_version_, [&](std::uint64_t known) { return known == bans_.version(); });
}

// To those who do not know them yet: first what is to come is refused, then what is there ends, in small pieces, if a
// new ban is among them.
void Interface::publish_bans() {
  const std::uint64_t version = bans_.version();
  const auto ranges = bans_.ranges();
  std::vector<std::shared_ptr<const session::AddressSet>> fresh;
  std::vector<std::size_t> next;
  for (const std::uint64_t known : banned_version_) {
    fresh.push_back(bans_.ranges(known));
    next.push_back(known == version ? 0 : SIZE_MAX);
  }
  while (std::ranges::any_of(next, [](std::size_t at) { return at > 0; })) {
    const auto answers =
        shards_.ask<std::size_t>([ranges, fresh, next](shard::Shard& shard, std::size_t index, std::size_t& left) {
          if (next[index] == 0) return;
          session::Service& service = shard.service();
          if (next[index] == SIZE_MAX) service.guard.set_bans(ranges);
          if (!fresh[index]->empty()) left = service.end_banned(*fresh[index], next[index], sessions_a_letter);
        });
    for (std::size_t index = 0; index < answers.size(); ++index) {
      if (next[index] == 0) continue;
      next[index] = answers[index] ? *answers[index] : 0;
      if (answers[index] && next[index] == 0) banned_version_[index] = version;
    }
  }
}

}  // namespace ringwall::admin
