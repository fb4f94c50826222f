#include <ringwall/session/service.h>

#include <ringwall/session/session.h>

#include <algorithm>

namespace ringwall::session {

namespace {

constexpr std::uint64_t notice_interval_ns = 1'000'000'000;

}  // namespace

// Where a share is as large as a message may be, the message still needs the room in front of it.
Service::Service(connection::Resources& resources_in, const config::Config& config_in, NoticeSink notice)
    : resources(resources_in),
      config(config_in),
      assembly(config_in.server.assembly_bytes_max + websocket::frame_header_bytes_max,
               config_in.server.assembly_bytes_per_address_max + websocket::frame_header_bytes_max,
               std::max(config_in.limits.message_bytes_max, config_in.limits.body_bytes_max) +
                   websocket::frame_header_bytes_max,
               assembly_reserve_bytes),
      unmasked(std::max<std::size_t>(config_in.server.buffer_bytes, connection::Arena::block_bytes)),
      notice_(std::move(notice)) {}

Service::~Service() { RINGWALL_CHECK(sessions.empty()); }

void Service::open(int socket, const ListenerService& listener) {
  ++sessions_opened;
  sessions.push_back(std::make_unique<Session>(*this, listener, sessions.size()));
  sessions.back()->start(socket);
}

void Service::remove(Session& session) {
  RINGWALL_CHECK(sessions[session.index].get() == &session);
  ++ended[static_cast<std::size_t>(session.end_reason())];
  std::swap(sessions[session.index], sessions.back());
  sessions[session.index]->index = session.index;
  sessions.pop_back();
}

void Service::stop(bool now) {
  stopping = true;
  for (const std::unique_ptr<Session>& session : sessions) session->stop(now);
  for (const std::unique_ptr<NodeService>& node : nodes) node->pool.stop(now);
}

std::string_view Service::date() {
  if (const std::uint64_t now_ns = resources.ring.now_ns(); now_ns >= date_until_ns_) {
    date_ = http::date_text(resources.ring.backend().unix_now_s());
    date_until_ns_ = now_ns + 500'000'000;
  }
  return {date_.data(), date_.size()};
}

void Service::notify(Notice notice, const std::string& text) {
  std::uint64_t& last_ns = noticed_ns_[static_cast<std::size_t>(notice)];
  const std::uint64_t now_ns = resources.ring.now_ns();
  if (last_ns != 0 && now_ns < last_ns + notice_interval_ns) return;
  last_ns = now_ns;
  notice_(notice, text);
}

}  // namespace ringwall::session
