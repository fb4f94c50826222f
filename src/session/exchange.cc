// One HTTP request with its body to the node, and the answer back.
#include <ringwall/http/writer.h>
#include <ringwall/session/session.h>

#include <algorithm>

namespace ringwall::session {

namespace {

// A node that dies without an answer may have acted on the request: what should not be done twice is never sent twice.
// That is what goes to the network or into the keystore; an escaped name ("autho\u0072") counts as such.
bool may_be_submission(std::string_view body) {
  return body.find("author_") != std::string_view::npos || body.find("_broadcast") != std::string_view::npos ||
         body.find('\\') != std::string_view::npos;
}

}  // namespace

void Session::begin_exchange(const http::RequestHead& head, NodeGroup& group) {
  const std::uint64_t body_bytes_max = service_.config.limits.body_bytes_max;
  if (head.framing == http::Framing::length && head.content_length > body_bytes_max) {
    return refuse({413, "the body is larger than this endpoint takes"}, EndReason::client_refused);
  }
  request_ = std::make_unique<Request>(group, service_.assembly, share_);
  const bool has_node = choose_node();
  RINGWALL_CHECK(has_node);  // none was tried before
  request_->is_call = head.method == http::Method::post;
  request_->is_head = head.method == http::Method::head;
  request_->client_keeps_alive = head.keep_alive;
  request_->client_is_old = head.minor == 0;
  request_->body_since_ns = service_.resources.ring.now_ns();
  request_->body_bytes_max =
      static_cast<std::size_t>(head.framing == http::Framing::length ? head.content_length : body_bytes_max);
  request_->body_is_chunked = head.framing == http::Framing::chunked;
  request_->body_reader = http::BodyReader(head.framing, head.content_length, body_bytes_max);
  const auto bytes = http::write_request_to_node(service_.head_text, head, origin(head, *request_),
                                                 {.framing = head.framing, .content_length = head.content_length});
  if (!bytes) return refuse({431, "the request's head is too large to be passed on"}, EndReason::client_refused);
  const bool small = head.framing == http::Framing::length && head.content_length <= small_body_bytes_max;
  request_->head =
      make_request_text({service_.head_text.data(), *bytes}, small ? static_cast<std::size_t>(head.content_length) : 0);
  set_state(State::body);
  set_timer(service_.config.timeouts.body_ms);
  if (head.expect_continue && !request_->body_reader.done()) client_.send_copy("HTTP/1.1 100 Continue\r\n\r\n");
}

std::size_t Session::read_body(std::string_view bytes) {
  std::string_view left = bytes;
  Request& request = *request_;
  // Small and all here, as most are: it goes to the node behind its head, and needs no memory of its own.
  if (!request.body_reader.done() && !request.body_is_chunked && request.body.text().empty() &&
      request.body_bytes_max <= std::min(small_body_bytes_max, bytes.size())) {
    const std::string_view body = bytes.substr(0, request.body_bytes_max);
    request.head.append(body);
    body_complete(body);
    return body.size();
  }
  while (!request.body_reader.done()) {
    if (left.empty()) return bytes.size();
    switch (request.body.reserve(left.size(), request.body_bytes_max)) {
      case AssemblyBudget::Answer::given:
        break;
      case AssemblyBudget::Answer::wait:
        if (!std::exchange(waits_for_memory_, true)) service_.assembly.wait(*this);
        return bytes.size() - left.size();
      case AssemblyBudget::Answer::never:
        refuse({413, "the body is larger than one client may send"}, EndReason::memory_bound);
        return 0;
    }
    const auto piece = request.body_reader.next(left);
    if (!piece) {
      refuse(piece.error(), EndReason::client_refused);
      return 0;
    }
    request.body.append(piece->payload);
  }
  body_complete(request.body.text());
  return bytes.size() - left.size();
}

void Session::body_complete(std::string_view body) {
  Request& request = *request_;
  timer_.stop();
  if (request.is_call && !judge_body(body)) return;
  request.may_be_sent_again = !may_be_submission(body);
  request.body_bytes = request.body.take();
  if (!take_kept_connection()) return connect();
  send_request();
}

bool Session::take_kept_connection() {
  node_ = request_->node->pool.take();
  if (!node_) return false;
  node_->set_owner(*this);
  node_->set_share(share_);
  request_->on_used_connection = true;
  return true;
}

void Session::send_request() {
  Request& request = *request_;
  node_->send_copy(request.head);
  if (request.body_is_chunked) {
    std::array<char, http::chunk_header_bytes_max> header;
    if (!request.body_bytes.empty()) {
      const std::size_t bytes = http::write_chunk_header(header, request.body_bytes.size());
      node_->send_copy(std::string_view(header.data(), bytes));
      node_->send(request.body_bytes.share(request.body_bytes.bytes()));
      node_->send_copy(http::chunk_end);
    }
    node_->send_copy(http::last_chunk);
  } else if (!request.body_bytes.empty()) {
    node_->send(request.body_bytes.share(request.body_bytes.bytes()));
  }
  await_node();
}

// The node closed a connection of the pool without a byte of an answer: as a rule while the request was on its way.
void Session::send_again() {
  request_->on_used_connection = false;
  timer_.stop();
  request_->node->pool.retire(std::move(node_));
  connect();
}

void Session::begin_answer(const http::ResponseHead& head, ring::Slice rest) {
  Request& request = *request_;
  set_state(State::responding);
  service_.node_answered(*request.node);
  request.body_bytes.reset();
  request.answer = http::BodyReader(head.framing, head.content_length);
  request.node_keeps_alive = head.keep_alive;
  http::BodyPlan plan{.framing = head.framing, .content_length = head.content_length};
  if (head.framing == http::Framing::chunked || head.framing == http::Framing::until_close) {
    plan.framing = request.client_is_old ? http::Framing::until_close : http::Framing::chunked;
    request.answer_in_chunks = !request.client_is_old;
  }
  request.answer_until_close = plan.framing == http::Framing::until_close;
  if (request.answer_until_close || service_.stopping) request.client_keeps_alive = false;
  const auto bytes =
      http::write_response_to_client(service_.head_text, head, plan, request.client_keeps_alive, service_.date());
  if (!bytes) return refuse({502, "the node's answer has a head that cannot be passed on"}, EndReason::node_garbage);
  client_.send_copy(std::string_view(service_.head_text.data(), *bytes));
  set_timer(service_.config.timeouts.response_ms);
  if (!request.answer.done()) return rest.empty() ? void() : relay_answer(std::move(rest));
  if (!rest.empty()) request.node_keeps_alive = false;  // it says more than it was asked
  end_answer();
}

void Session::relay_answer(ring::Slice bytes) {
  Request& request = *request_;
  request.heard_ns = service_.resources.ring.now_ns();
  std::string_view left(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size());
  while (!left.empty()) {
    const auto piece = request.answer.next(left);
    if (!piece) return cut_answer(EndReason::node_garbage);
    if (!piece->payload.empty()) {
      owe_for(piece->payload.size());
      const std::span payload = std::as_bytes(std::span(piece->payload));
      if (request.answer_in_chunks) {
        std::array<char, http::chunk_header_bytes_max> header;
        client_.send_copy(std::string_view(header.data(), http::write_chunk_header(header, payload.size())));
      }
      client_.send(bytes.share(payload));
      if (request.answer_in_chunks) client_.send_copy(http::chunk_end);
    }
    if (piece->done) {
      if (!left.empty()) request.node_keeps_alive = false;  // it says more than it was asked
      return end_answer();
    }
  }
  set_timer(service_.config.timeouts.response_ms);
}

// The node's answer ended before it was whole. Where only the connection's end tells the client its length, the end
// must not look like one.
void Session::cut_answer(EndReason reason) {
  if (request_->answer_until_close) return abort(reason);
  cut(reason);
}

void Session::end_answer() {
  Request& request = *request_;
  if (request.answer_in_chunks) client_.send_copy(http::last_chunk);
  served_one_ = true;
  if (request.asked_ns != 0) {
    service_.counters.call_duration[static_cast<std::size_t>(request.cost)].observe(service_.resources.ring.now_ns() -
                                                                                    request.asked_ns);
  }
  // One that answered before it had taken the whole request has still to take the rest.
  if (request.node_keeps_alive && !node_->is_congested()) {
    request.node->pool.put(std::move(node_));
  } else {
    request.node->pool.retire(std::move(node_));
  }
  if (!request.client_keeps_alive || service_.stopping) return finish(EndReason::done);
  enter_head();
  take_input({});
}

}  // namespace ringwall::session
