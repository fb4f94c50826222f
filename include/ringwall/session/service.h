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
#include <ringwall/session/counters.h>
#include <ringwall/session/end_reason.h>
#include <ringwall/session/guard.h>
#include <ringwall/session/reports.h>
#include <ringwall/tls/context.h>
#include <ringwall/upstream/choice.h>
#include <ringwall/upstream/health.h>
#include <ringwall/upstream/offers.h>
#include <ringwall/upstream/pool.h>
#include <ringwall/upstream/silence.h>
#include <ringwall/upstream/target.h>
#include <ringwall/upstream/watch.h>

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::session {

class Session;

// One listener, as a shard sees it. A reload changes what is in it between two handlers: nothing of it is kept from one
// handler to another, but a share of the context for as long as a handshake lasts.
struct ListenerService {
  ListenerService(const config::Listener& config_in, std::shared_ptr<const tls::Context> tls_in);

  config::Listener config;
  std::shared_ptr<const tls::Context> tls;        // null: plain or redirect
  const std::shared_ptr<const std::string> name;  // its address, which no reload changes; for other threads too
};

// One node, as a shard sees it.
struct NodeService {
  NodeService(std::size_t index_in, upstream::Target& target_in, const config::Upstream& config,
              connection::Resources& resources)
      : index(index_in),
        target(target_in),
        pool(resources, config.pool_idle_max, std::uint64_t{config.pool_idle_timeout_ms} * 1'000'000),
        host("localhost:" + std::to_string(target.port())) {}

  const std::size_t index;  // in Service::nodes
  upstream::Target& target;
  upstream::Pool pool;
  std::string host;  // what the node's filter accepts, whatever its address
  std::uint64_t connect_failures = 0;
  std::uint64_t limit_reached = 0;             // the node's 429
  std::optional<upstream::Silence> silence{};  // while the sessions are told of it
};

// One upstream, as a shard sees it: the nodes that a client may be given.
struct NodeGroup {
  std::size_t index;  // in Service::groups
  config::Balance balance;
  std::vector<NodeService*> nodes{};               // never none
  std::vector<const upstream::Target*> targets{};  // theirs
  std::uint64_t turn = 0;                          // choices that were made here
};

// Of a shard, for small messages, over assembly_bytes_max.
inline constexpr std::size_t assembly_reserve_bytes = 8 << 20;

struct Service {
 private:
  config::Config config_;

 public:
  // `offers`: null where nobody asks the nodes for their methods.
  Service(connection::Resources& resources, const config::Config& config, Rules& rules, const upstream::Offers* offers,
          log::Sink log);
  // Before the first session: without it every node is taken to be well.
  void set_watch(upstream::Watch& watch);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Before the first session, and in the order of Config::upstreams, whose nodes `targets` are.
  void add_group(std::span<upstream::Target* const> targets, const config::Upstream& upstream);

  // After a reload: what holds from the next handler on, of connections that are open too. The shard's own copy, so
  // that what was read before can go.
  void adopt(const config::Config& next, std::shared_ptr<const rpc::MethodTable> methods, const quota::Terms& terms);

  // Takes an accepted socket, or closes it for a limit.
  void open(int socket, const ListenerService& listener);
  void remove(Session& session);
  // Told to stop: every session goes at a moment that it draws within `spread_ns`, and those who have not asked for
  // anything yet have `fresh_ns` more for it. A client that the kernel had accepted meanwhile still comes in.
  void drain(std::uint64_t spread_ns, std::uint64_t fresh_ns);
  [[nodiscard]] std::uint64_t fresh_until_ns() const { return fresh_until_ns_; }
  // Their time is over: every session ends in order, whatever waits for an answer; `now`: at once.
  void stop(bool now);
  // Of `count` sessions below `end` those end whose client is in `banned`; returns where to go on, and 0 at the last.
  // From the highest index to the lowest: what moves meanwhile moves to where was not looked yet.
  [[nodiscard]] std::size_t end_banned(const AddressSet& banned, std::size_t end, std::size_t count);
  // A node was asked how it is, and was silent: the sessions that are its own look at what they have heard of it.
  void note_silence(const upstream::Silence& silence);
  // False: another of its kind was told of within a second.
  bool notify(Notice notice, std::string_view text) { return reports.notice(notice, text); }
  // Logs what is asked for and not offered here and was not told of yet; if it cannot now, in a second.
  void tell_unknown_names();
  // The node that a client of that address gets, but none of those that have a bit in `tried`, as NodeGroup::nodes.
  // Null: there is no other.
  [[nodiscard]] NodeService* choose(NodeGroup& group, const AddressBytes& client, std::uint64_t tried);
  // What became of a request: see upstream::Watch.
  void node_failed(const NodeService& node);
  void node_answered(const NodeService& node);
  // The `result` of rpc_methods.
  [[nodiscard]] std::shared_ptr<const std::string> methods_text(const NodeService& node) const;
  // Of the hashes of what clients choose.
  [[nodiscard]] const HashSeed& seed() const { return seed_; }
  // Of this second, for a Date field.
  [[nodiscard]] std::string_view date();

  connection::Resources& resources;
  const config::Config& config = config_;
  Guard guard;
  AssemblyBudget assembly;
  Reports reports;
  std::vector<std::unique_ptr<NodeService>> nodes{};  // of each upstream, one upstream after the other
  std::vector<NodeGroup> groups{};                    // as Config::upstreams
  std::vector<std::unique_ptr<Session>> sessions{};
  // Sessions that limits.handshakes_max counts: on their way to their first head, the oldest first.
  std::list<Session*> handshakes{};
  bool stopping = false;  // since drain()
  bool has_cut = false;   // since stop(now)

  http::RequestHead request_head{};
  http::ResponseHead response_head{};
  std::array<char, http::head_bytes_max + http::forward_bytes_added_max> head_text{};
  std::vector<std::byte> unmasked;  // of the size of the largest piece that can arrive at once

  EndCounters ended{};
  std::uint64_t sessions_opened = 0;
  SessionCounters counters{};

 private:
  [[nodiscard]] bool admit(quota::Connection& place, const AddressBytes& peer, bool is_proxy);
  void make_room_for_handshake(Session& session);
  [[nodiscard]] std::uint64_t draw_moment();
  void look_at_share(const quota::Connection& place, const AddressBytes& peer);
  void tell_of_silence();

  const upstream::Offers* offers_;
  upstream::Watch* watch_ = nullptr;
  std::optional<upstream::Published<upstream::Health>::Reader> health_{};
  HashSeed seed_{};
  http::DateText date_{};
  std::uint64_t date_until_ns_ = 0;
  std::uint64_t leave_by_ns_ = 0;  // the last moment that a session can draw
  std::uint64_t fresh_until_ns_ = 0;
  ring::TimerOf<Service, &Service::tell_unknown_names> unknown_names_timer_{*this};
  std::size_t silence_end_ = 0;  // of the sessions that have not been told yet
  ring::TimerOf<Service, &Service::tell_of_silence> silence_timer_{*this};
};

}  // namespace ringwall::session
