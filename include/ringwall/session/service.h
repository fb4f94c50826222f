// service.h: what the sessions of one shard share: nodes, budgets, scratch memory, counters, and the list of sessions.
//
// Owner: the shard, on its thread. The scratch members are used within one handler and keep nothing between two.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/connection/connection.h>
#include <ringwall/http/forward.h>
#include <ringwall/http/head.h>
#include <ringwall/http/writer.h>
#include <ringwall/limits.h>
#include <ringwall/session/assembly_budget.h>
#include <ringwall/session/end_reason.h>
#include <ringwall/session/guard.h>
#include <ringwall/tls/context.h>
#include <ringwall/upstream/offers.h>
#include <ringwall/upstream/pool.h>
#include <ringwall/upstream/target.h>

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::session {

class Session;

// One listener, as a shard sees it.
struct ListenerService {
  const config::Listener& config;
  std::unique_ptr<tls::Context> tls;  // null: plain or redirect
};

// One upstream, as a shard sees it.
struct NodeService {
  NodeService(upstream::Target& target_in, const config::Upstream& config, connection::Resources& resources)
      : target(target_in),
        pool(resources, config.pool_idle_max, std::uint64_t{config.pool_idle_timeout_ms} * 1'000'000),
        host("localhost:" + std::to_string(target.port())) {}

  upstream::Target& target;
  upstream::Pool pool;
  std::string host;  // what the node's filter accepts, whatever its address
};

// Of a shard, for small messages, over assembly_bytes_max.
inline constexpr std::size_t assembly_reserve_bytes = 8 << 20;

// What an operator has to hear of, at most once a second each. Called on the shard's thread; must not block.
enum class Notice : std::uint8_t {
  node_unreachable,
  node_at_its_limit,
  node_garbage,
  node_cap_reached,
  out_of_files,
  accept_failed,
  backlog_spent,
  shard_full,
  node_forbids,
  proxy_header,
  method_unknown,
  limit_reached,
  one_address
};
inline constexpr std::size_t notices = static_cast<std::size_t>(Notice::one_address) + 1;
using NoticeSink = std::function<void(Notice, const std::string& text)>;

struct Service {
  // `offers`: null where nobody asks the nodes for their methods.
  Service(connection::Resources& resources, const config::Config& config, Rules& rules, const upstream::Offers* offers,
          NoticeSink notice);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Takes an accepted socket, or closes it for a limit.
  void open(int socket, const ListenerService& listener);
  void remove(Session& session);
  // Told to stop: every session ends in order as soon as it can; `now`: at once.
  void stop(bool now);
  // False: another of its kind was told of within a second.
  bool notify(Notice notice, const std::string& text);
  // Logs what is asked for and not offered here and was not told of yet; if it cannot now, in a second.
  void tell_unknown_names();
  // The `result` of rpc_methods.
  [[nodiscard]] std::shared_ptr<const std::string> methods_text(const NodeService& node) const;
  // Of the hashes of what clients choose.
  [[nodiscard]] const HashSeed& seed() const { return seed_; }
  // Of this second, for a Date field.
  [[nodiscard]] std::string_view date();

  connection::Resources& resources;
  const config::Config& config;
  Guard guard;
  AssemblyBudget assembly;
  std::vector<std::unique_ptr<NodeService>> nodes{};  // as Config::upstreams
  std::vector<std::unique_ptr<Session>> sessions{};
  // Sessions that limits.handshakes_max counts: on their way to their first head, the oldest first.
  std::list<Session*> handshakes{};
  bool stopping = false;

  http::RequestHead request_head{};
  http::ResponseHead response_head{};
  std::array<char, http::head_bytes_max + http::forward_bytes_added_max> head_text{};
  std::vector<std::byte> unmasked;  // of the size of the largest piece that can arrive at once

  EndCounters ended{};
  std::uint64_t sessions_opened = 0;
  std::uint64_t node_limit_reached = 0;  // the node's 429

 private:
  [[nodiscard]] bool admit(quota::Connection& place, const AddressBytes& peer, bool is_proxy);
  void make_room_for_handshake(Session& session);
  void look_at_share(const quota::Connection& place, const AddressBytes& peer);

  const upstream::Offers* offers_;
  HashSeed seed_{};
  http::DateText date_{};
  std::uint64_t date_until_ns_ = 0;
  NoticeSink notice_;
  std::array<std::uint64_t, notices> noticed_ns_{};
  ring::TimerOf<Service, &Service::tell_unknown_names> unknown_names_timer_{*this};
};

}  // namespace ringwall::session
