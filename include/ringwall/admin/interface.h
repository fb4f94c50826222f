// interface.h: the admin interface: metrics, health, sessions, bans and control, over HTTP and a Unix socket.
//
// A thread of its own, which asks shards by letters and waits for no answer longer than shard_answer_ms. Made once the
// shards run; its end precedes theirs.
//
//   everyone   GET /metrics /health /ready?upstream=
//   reading    GET /status /sessions?address=&limit= /top?by=&limit= /bans
//   changing   POST /reload /drain /upgrade /log-level?level= /ban?address=&for= /unban?address=
//
// Who may do what is in request.h.
#pragma once

#include <ringwall/admin/bans.h>
#include <ringwall/admin/control.h>
#include <ringwall/admin/http_server.h>
#include <ringwall/admin/report.h>
#include <ringwall/admin/sessions.h>
#include <ringwall/admin/shards.h>
#include <ringwall/error.h>

#include <memory>
#include <string>
#include <thread>

namespace ringwall::admin {

// Listening already; the Interface's from here on. -1: none.
struct Sockets {
  int tcp = -1;
  int unix_socket = -1;
  std::string unix_path{};  // removed at the end
};

class Interface {
 public:
  // Posts the bans that were kept to the shards, before these let anybody in.
  [[nodiscard]] static Result<std::unique_ptr<Interface>> create(Sockets sockets, Control control);
  // From here on it answers.
  [[nodiscard]] Result<void> serve();
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;
  ~Interface();

  // Another process has the place of its Unix socket: the file there is that one's. Thread: the owner's.
  void leave_socket() { is_replaced_ = true; }

 private:
  struct Route;

  Interface(Sockets sockets, Control control, int stop_event);
  void run();
  [[nodiscard]] Answer handle(const Request& request, Peer peer);

  [[nodiscard]] Answer metrics(const Request& request);
  [[nodiscard]] Answer health(const Request& request);
  [[nodiscard]] Answer ready(const Request& request);
  [[nodiscard]] Answer status(const Request& request);
  [[nodiscard]] Answer sessions(const Request& request);
  [[nodiscard]] Answer top(const Request& request);
  [[nodiscard]] Answer list_bans(const Request& request);
  [[nodiscard]] Answer reload(const Request& request);
  [[nodiscard]] Answer drain(const Request& request);
  [[nodiscard]] Answer upgrade(const Request& request);
  [[nodiscard]] Answer log_level(const Request& request);
  [[nodiscard]] Answer ban(const Request& request);
  [[nodiscard]] Answer unban(const Request& request);

  // Those of shards that do not answer, as text; empty: all are well.
  [[nodiscard]] std::string silent_shards();
  [[nodiscard]] bool all_know_bans() const;
  void publish_bans();
  [[nodiscard]] std::string kept_text() const;

  const Control control_;
  const std::string unix_path_;
  const int stop_event_;
  Shards shards_;
  Report report_;
  TopTalkers top_;
  Bans bans_;
  std::vector<std::uint64_t> banned_version_;  // by shard: up to which of bans_ it has done what there was to do
  bool is_replaced_ = false;
  HttpServer server_;
  std::thread thread_;
};

}  // namespace ringwall::admin
