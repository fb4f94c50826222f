#include "sim/kernel/stage.h"

#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"

#include <ringwall/check.h>
#include <ringwall/ring/uring_backend.h>

#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace ringwall::sim {

namespace {

std::string end_of(bool has_ended, int error) {
  if (error != 0) return strerrorname_np(error);
  return has_ended ? "closed" : "";
}

// The simulated kernel
// --------------------------------------------------------------------------------------------------

class SimStagePeer final : public StagePeer {
 public:
  explicit SimStagePeer(Peer& peer) : peer_(peer) {}
  explicit SimStagePeer(std::unique_ptr<Peer> peer) : owned_(std::move(peer)), peer_(*owned_) {}

  void send(std::string_view bytes) override { peer_.send(bytes); }
  void half_close() override { peer_.half_close(); }
  void reset() override { peer_.reset(); }
  void leave() override { peer_.close(); }
  void stop_reading() override { peer_.stop_reading(); }
  void read_on() override { peer_.read_at_once(); }
  std::string end() const override { return end_of(peer_.has_ended(), peer_.error()); }
  std::string heard() const override { return peer_.received(); }

 private:
  std::unique_ptr<Peer> owned_;
  Peer& peer_;
};

class SimStage final : public Stage {
 public:
  SimStage(std::uint64_t seed, bool takes_second_tls_key)
      : world_(settings(seed)), kernel_(world_, {.has_tls = true, .tls_allows_second_key = takes_second_tls_key}) {}
  ~SimStage() override { RINGWALL_CHECK(kernel_.operations_in_flight() == 0 && kernel_.buffers_held() == 0); }

  ring::Ring& ring() override { return ring_; }
  ring::BufferRing& buffers() override { return buffers_; }
  int listener() override { return listener_; }
  std::unique_ptr<StagePeer> enter_peer() override {
    auto peer = std::make_unique<Peer>(world_);
    peer->connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 4000));
    return std::make_unique<SimStagePeer>(std::move(peer));
  }
  ring::SocketAddress server_address() override { return address_of("192.0.2.9", 9944); }
  std::unique_ptr<StagePeer> server_peer() override { return std::make_unique<SimStagePeer>(*server_.peers().back()); }
  ring::SocketAddress address_of_nobody() override { return address_of("192.0.2.9", 9945); }
  int open_mailbox() override { return kernel_.open_mailbox(); }
  void signal_mailbox(int mailbox) override { kernel_.signal_mailbox(mailbox); }
  void allow_descriptors(bool allowed) override {
    Faults faults;
    faults.descriptor_refused = allowed ? 0 : 1;
    world_.set_faults(faults);
  }
  bool has_tls() override { return true; }
  bool takes_second_tls_key() override { return kernel_.settings().tls_allows_second_key; }
  void settle() override {
    const std::uint64_t until_ns = kernel_.now_ns() + second;
    while (kernel_.now_ns() < until_ns) ring_.turn(50 * millisecond);
  }

 private:
  static Settings settings(std::uint64_t seed) {
    Settings settings;
    settings.seed = seed;
    settings.paths.latency_ns_max = 5 * millisecond;
    return settings;
  }

  World world_;
  SimKernel kernel_;
  int listener_ = kernel_.open_listener(address_of("0.0.0.0", 443));
  Server server_{world_, address_of("192.0.2.9", 9944)};
  ring::BufferRing buffers_{kernel_, 1, buffers_max, 4096};
  ring::Ring ring_{kernel_};
};

// Linux
// -----------------------------------------------------------------------------------------------------------------

ring::SocketAddress loopback(in_port_t port) {
  ring::SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = port;
  address.bytes = sizeof v4;
  return address;
}

class LinuxPeer final : public StagePeer {
 public:
  LinuxPeer(int socket, std::vector<LinuxPeer*>& all) : socket_(socket), all_(all) {
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    all_.push_back(this);
  }
  ~LinuxPeer() override {
    std::erase(all_, this);
    if (socket_ >= 0) close(socket_);
  }

  void send(std::string_view bytes) override {
    RINGWALL_CHECK(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void half_close() override { shutdown(socket_, SHUT_WR); }
  void reset() override {
    const linger immediately{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
    close(std::exchange(socket_, -1));
  }
  void leave() override { close(std::exchange(socket_, -1)); }
  void stop_reading() override { reading_ = false; }
  void read_on() override { reading_ = true; }
  std::string end() const override { return end_of(ended_, error_); }
  std::string heard() const override { return heard_; }

  void pump() {
    std::array<char, 65536> piece;
    while (reading_ && socket_ >= 0 && !ended_ && error_ == 0) {
      const ssize_t count = recv(socket_, piece.data(), piece.size(), 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count > 0) heard_.append(piece.data(), static_cast<std::size_t>(count));
      ended_ = count == 0;
      if (count < 0) error_ = errno;
    }
  }

 private:
  int socket_;
  std::vector<LinuxPeer*>& all_;
  std::string heard_;
  bool reading_ = true;
  bool ended_ = false;
  int error_ = 0;
};

class LinuxStage final : public Stage {
 public:
  explicit LinuxStage(std::unique_ptr<ring::UringBackend> backend) : backend_(std::move(backend)) {
    RINGWALL_CHECK(buffers_.error() == 0);
  }
  ~LinuxStage() override {
    close(listener_);
    close(server_);
    close(nobody_);
  }

  ring::Ring& ring() override { return ring_; }
  ring::BufferRing& buffers() override { return buffers_; }
  int listener() override { return listener_; }
  std::unique_ptr<StagePeer> enter_peer() override {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const ring::SocketAddress to = name_of(listener_);
    RINGWALL_CHECK(connect(socket, to.get(), to.bytes) == 0);
    return std::make_unique<LinuxPeer>(socket, peers_);
  }
  ring::SocketAddress server_address() override { return name_of(server_); }
  std::unique_ptr<StagePeer> server_peer() override {
    return std::make_unique<LinuxPeer>(accept4(server_, nullptr, nullptr, SOCK_CLOEXEC), peers_);
  }
  ring::SocketAddress address_of_nobody() override { return name_of(nobody_); }  // bound, but not listening
  int open_mailbox() override { return eventfd(0, EFD_CLOEXEC); }
  void signal_mailbox(int mailbox) override { RINGWALL_CHECK(eventfd_write(mailbox, 1) == 0); }
  void allow_descriptors(bool allowed) override {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = allowed ? limit.rlim_max : 3;
    RINGWALL_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  bool has_tls() override { return tls_keys_taken() > 0; }
  bool takes_second_tls_key() override { return tls_keys_taken() > 1; }
  void settle() override {
    for (int turn = 0; turn < 12; ++turn) {
      ring_.turn(2 * millisecond);
      for (LinuxPeer* peer : peers_) peer->pump();
    }
  }

 private:
  // Of two for one direction of a connection.
  int tls_keys_taken() {
    const std::unique_ptr<StagePeer> peer = enter_peer();
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    int taken = 0;
    tls12_crypto_info_aes_gcm_128 key{};
    key.info = {.version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128};
    const auto bytes = std::as_bytes(std::span(&key, 1));
    if (backend_->attach_tls(socket) == 0) {
      while (taken < 2 && backend_->set_tls_key(socket, ring::TlsDirection::send, bytes) == 0) ++taken;
    }
    close(socket);
    return taken;
  }
  static int bound_socket(bool listens) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const ring::SocketAddress any = loopback(0);
    RINGWALL_CHECK(bind(socket, any.get(), any.bytes) == 0);
    if (listens) RINGWALL_CHECK(listen(socket, 16) == 0);
    return socket;
  }
  static ring::SocketAddress name_of(int socket) {
    ring::SocketAddress address;
    address.bytes = sizeof address.storage;
    RINGWALL_CHECK(getsockname(socket, address.get(), &address.bytes) == 0);
    return address;
  }

  std::unique_ptr<ring::UringBackend> backend_;
  int listener_ = bound_socket(true);
  int server_ = bound_socket(true);
  int nobody_ = bound_socket(false);
  ring::BufferRing buffers_{*backend_, 1, buffers_max, 4096};
  ring::Ring ring_{*backend_};
  std::vector<LinuxPeer*> peers_;
};

}  // namespace

std::unique_ptr<Stage> make_sim_stage(std::uint64_t seed, bool takes_second_tls_key) {
  return std::make_unique<SimStage>(seed, takes_second_tls_key);
}

std::unique_ptr<Stage> make_linux_stage() {
  auto backend = ring::UringBackend::create(8);
  if (!backend) std::fprintf(stderr, "%s\n", backend.error().message.c_str());
  RINGWALL_CHECK(backend.has_value());
  return std::make_unique<LinuxStage>(std::move(*backend));
}

}  // namespace ringwall::sim
