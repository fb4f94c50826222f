// A request's head: read it, decide, and answer what needs no node.
#include <ringwall/config/route.h>
#include <ringwall/http/writer.h>
#include <ringwall/session/session.h>
#include <ringwall/session/site.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {

namespace {

constexpr std::string_view health_path = "/health";
constexpr std::string_view readiness_path = "/health/readiness";
// Answers without a node to one piece of input, 16 KiB at most: 26 times as many bytes could be asked for with it.
constexpr unsigned own_answers_max = 16;

bool is_get(const http::RequestHead& head) {
  return head.method == http::Method::get || head.method == http::Method::head;
}

bool has_body(const http::RequestHead& head) {
  return head.framing == http::Framing::chunked || (head.framing == http::Framing::length && head.content_length > 0);
}

}  // namespace

void Session::enter_head() {
  set_state(State::head);
  request_.reset();
  const config::Timeouts& timeouts = service_.config.timeouts;
  set_timer(served_one_ && input_.empty() ? timeouts.keep_alive_ms : timeouts.head_ms);
}

void Session::take_input(std::string_view bytes) {
  if (input_.empty()) {
    const std::size_t used = read_input(bytes);
    // A request that was answered at once may have left the session at its end.
    if (state_ != State::ending) input_.assign(bytes.substr(used));
  } else {
    input_.append(bytes);
    input_.erase(0, read_input(input_));
  }
  if (state_ == State::ending) return;
  if (!charge_input()) {
    if (state_ != State::head && state_ != State::body) return abort(EndReason::memory_bound);
    return refuse({503, "out of memory: try again later"}, EndReason::memory_bound);
  }
  if (client_.has_ended() && (state_ == State::head || state_ == State::body)) return client_ended();
  update_client_receiving();
}

// What waits to be read may be a head at no charge; what a client sends in one turn may be more.
bool Session::charge_input() {
  if (input_.capacity() > http::head_bytes_max && input_.size() <= http::head_bytes_max) input_.shrink_to_fit();
  const std::size_t due = input_.capacity() > http::head_bytes_max ? input_.capacity() : 0;
  if (due == input_charged_) return true;
  const AddressBytes key = share_key(peer_);
  service_.resources.backlog.give_back(key, std::exchange(input_charged_, 0));
  if (!service_.resources.backlog.take(key, due)) return false;
  input_charged_ = due;
  return true;
}

// Reads as far as the state allows. Returns what was used up.
std::size_t Session::read_input(std::string_view bytes) {
  std::size_t used = 0;
  own_answers_left_ = own_answers_max;
  while (used < bytes.size() || state_ == State::body) {
    // One that does not take its answers is given no more of them: the rest waits for on_drained.
    if (state_ == State::head && client_.is_congested()) break;
    const State before = state_;
    std::size_t step = 0;
    if (state_ == State::head) {
      step = read_head(bytes.substr(used));
    } else if (state_ == State::body) {
      step = read_body(bytes.substr(used));
    }
    used += step;
    if (step == 0 && state_ == before) break;
    if (state_ != State::head && state_ != State::body) break;
  }
  // What is left of several is the beginning of one more.
  if (state_ == State::head && used > 0 && used < bytes.size()) set_timer(service_.config.timeouts.head_ms);
  return used;
}

std::size_t Session::read_head(std::string_view bytes) {
  if (served_one_ && input_.empty()) set_timer(service_.config.timeouts.head_ms);
  http::RequestHead& head = service_.request_head;
  const auto parsed = http::parse_request_head(bytes, head, service_.config.limits.head_bytes_max);
  if (!parsed) {
    refuse(parsed.error(), EndReason::client_refused);
    return 0;
  }
  if (*parsed > 0) serve(head);
  return *parsed;
}

void Session::serve(const http::RequestHead& head) {
  if (listener_.config.kind == config::ListenerKind::redirect) return serve_redirect(head);
  const std::string_view name = client_.transport() != nullptr ? client_.transport()->server_name() : "";
  const config::Destination destination = config::destination(listener_.config, name, head.path);
  NodeGroup& group = service_.groups[destination.upstream_index];
  if (const AddressBytes address = client_of(head).address; address != address_) set_address(address);
  // Behind a proxy that is trusted with its clients' addresses nobody was asked at accept.
  if (is_in(peer_, listener_.config.trusted_proxies) && !service_.guard.lets_in(address_)) {
    ++service_.guard.counters.requests_denied;
    return answer({.status = 403,
                   .body = "this address is not served here\n",
                   .keep_alive = false,
                   .to_head = head.method == http::Method::head},
                  EndReason::client_refused);
  }
  if (!is_allowed_origin(head)) {
    return answer({.status = 403,
                   .body = "web pages of this origin may not use this endpoint (listener.origins)\n",
                   .keep_alive = false,
                   .to_head = head.method == http::Method::head},
                  EndReason::client_refused);
  }
  if (head.wants_websocket) {
    // It came with requests before it, and its client has gone since.
    if (client_.has_ended()) return finish(EndReason::client_gone);
    if (!pass_on_place() || !charge_request()) return;
    return begin_upgrade(head, group, destination.mode);
  }
  const bool is_health = head.path == health_path || head.path == readiness_path;
  if (destination.mode == config::Mode::rpc) {
    if (head.method == http::Method::post) return begin_exchange(head, group);
    if (head.method == http::Method::options || (is_get(head) && is_health)) {
      // No node reads it today; one that did would read what has not been judged.
      if (has_body(head)) return refuse({400, "only a POST may have a body here"}, EndReason::client_refused);
      return charge_request() ? begin_exchange(head, group) : void();
    }
  }
  if (!charge_request()) return;
  if (is_get(head)) return serve_page(head, destination.mode);
  const http::Header allow{"Allow", destination.mode == config::Mode::rpc ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD"};
  answer({.status = 405,
          .body = destination.mode == config::Mode::rpc ? "this endpoint takes JSON-RPC by WebSocket or by POST\n"
                                                        : "other nodes connect here by WebSocket\n",
          .keep_alive = false,
          .to_head = head.method == http::Method::head,
          .extra = {&allow, 1}});
}

ClientOrigin Session::client_of(const http::RequestHead& head) const {
  const bool https = client_.transport() != nullptr;
  // A proxy that does not say whose connection it passes on does not vouch for what comes in it.
  if (!peer_is_known_) return {peer_, https};
  return client_origin(peer_, https, head, listener_.config.trusted_proxies);
}

bool Session::is_allowed_origin(const http::RequestHead& head) const {
  const std::vector<std::string>& allowed = listener_.config.origins;
  const auto origin = head.find("origin");
  return allowed.empty() || !origin ||
         std::ranges::any_of(allowed, [&](const std::string& one) { return http::equals_ignoring_case(one, *origin); });
}

void Session::serve_redirect(const http::RequestHead& head) {
  const bool to_head = head.method == http::Method::head;
  if (head.path.starts_with(acme_prefix) && !listener_.config.acme_webroot.empty()) {
    const auto challenge = read_acme_challenge(listener_.config.acme_webroot, head.path);
    if (!is_get(head) || !challenge) {
      return answer({.status = 404, .body = "no such challenge\n", .keep_alive = false, .to_head = to_head});
    }
    return answer({.status = 200,
                   .content_type = "application/octet-stream",
                   .body = *challenge,
                   .keep_alive = head.keep_alive && head.framing == http::Framing::none,
                   .to_head = to_head});
  }
  const auto location = redirect_location(head, listener_.config.public_name,
                                          https_port_of(service_.config.listeners, listener_.config, head.host));
  if (!location) return refuse({400, "Host is missing: this port only points to https"}, EndReason::client_refused);
  const http::Header field{"Location", *location};
  answer({.status = 308,
          .body = "this endpoint is at https\n",
          .keep_alive = head.keep_alive && head.framing == http::Framing::none,
          .to_head = to_head,
          .extra = {&field, 1}});
}

void Session::serve_page(const http::RequestHead& head, config::Mode mode) {
  const bool secure = client_of(head).https;
  const std::string_view authority = listener_.config.public_name.empty() ? head.host : listener_.config.public_name;
  const std::string_view name = client_.transport() != nullptr ? client_.transport()->server_name() : "";
  const std::string place = std::string(authority).append(page_path(listener_.config, name, head.path));
  const bool tunnel = mode == config::Mode::tunnel;
  const bool keep_alive = head.keep_alive && head.framing == http::Framing::none;
  const bool to_head = head.method == http::Method::head;
  if (authority.empty()) {
    return answer({.status = 400,
                   .body = "Host is missing: without it this endpoint cannot tell its address\n",
                   .keep_alive = false,
                   .to_head = to_head},
                  EndReason::client_refused);
  }
  if (accepts_html(head)) {
    return answer({.status = 200,
                   .content_type = "text/html; charset=utf-8",
                   .body = page_html(place, secure, tunnel),
                   .keep_alive = keep_alive,
                   .to_head = to_head});
  }
  static constexpr http::Header upgrade[] = {
      {"Upgrade", "websocket"}, {"Connection", "upgrade"}, {"Sec-WebSocket-Version", "13"}};
  answer({.status = 426,
          .body = page_text(place, secure, tunnel),
          .keep_alive = keep_alive,
          .to_head = to_head,
          .extra = upgrade});
}

// An answer of Ringwall's own to a request whose body, if any, has not been read.
void Session::answer(http::SimpleResponse response, EndReason reason) {
  response.keep_alive = response.keep_alive && !service_.stopping && --own_answers_left_ > 0;
  response.date = service_.date();
  const std::string_view body = std::exchange(response.to_head, true) ? std::string_view() : response.body;
  const auto bytes = http::simple_response(service_.head_text, response);
  if (!bytes) return refuse({400, "the request names too long a place"}, EndReason::client_refused);
  client_.send_copy(std::string_view(service_.head_text.data(), *bytes));
  client_.send_copy(body);
  served_one_ = true;
  if (!response.keep_alive) return finish(reason);
  set_timer(service_.config.timeouts.keep_alive_ms);
}

void Session::refuse(http::Refusal refusal, EndReason reason) {
  const bool to_head = request_ && request_->is_head;
  const auto bytes = http::refusal_response(service_.head_text, refusal, service_.date(), to_head);
  RINGWALL_CHECK(bytes.has_value());
  client_.send_copy(std::string_view(service_.head_text.data(), *bytes));
  finish(reason);
}

}  // namespace ringwall::session
