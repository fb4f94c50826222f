// Ring, BufferRing and UringBackend on the kernel that this runs on.
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>
#include <ringwall/ring/uring_backend.h>

#include "unit/catch.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::ring {
namespace {

std::unique_ptr<UringBackend> make_backend(unsigned entries) {
  auto backend = UringBackend::create(entries);
  if (!backend) FAIL(backend.error().message);
  return std::move(*backend);
}

// One operation and what it was answered.
struct Asked {
  explicit Asked(Ring& ring_in) : ring(ring_in) {}

  void on_completion(const Completion& completion) { completions.push_back(completion); }

  // Turns until so many completions are there; two seconds at most.
  void await(std::size_t count) {
    for (int turn = 0; turn < 200 && completions.size() < count; ++turn) ring.turn(10'000'000);
    REQUIRE(completions.size() >= count);
  }

  Ring& ring;
  OperationOf<Asked, &Asked::on_completion> operation{*this};
  std::vector<Completion> completions;
};

void receive_multishot(Asked& asked, int socket, std::uint16_t group) {
  io_uring_sqe& entry = asked.ring.prepare(asked.operation);
  io_uring_prep_recv_multishot(&entry, socket, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = group;
}

struct Pair {
  Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0); }
  ~Pair() {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  void say(std::string_view text) {
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<int>(text.size()));
  }
  void hang_up() { close(std::exchange(ends[1], -1)); }

  std::array<int, 2> ends{};
};

std::string_view text_of(const Slice& slice) {
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

// A TCP connection over loopback: ours, made with open_tcp_socket, and theirs.
struct TcpPair {
  explicit TcpPair(Backend& backend) : ours(backend.open_tcp_socket(AF_INET)) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
    REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(connect(ours, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
    theirs = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(theirs >= 0);
    close(listener);
  }
  ~TcpPair() {
    if (theirs >= 0) close(theirs);
  }
  void they_reset() {
    const linger immediately{.l_onoff = 1, .l_linger = 0};
    setsockopt(theirs, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
    close(std::exchange(theirs, -1));
  }

  sockaddr_in address{};
  int ours;
  int theirs = -1;
};

}  // namespace

TEST_CASE("a multishot receive fills provided buffers, goes on, and ends with the stream") {
  const auto backend = make_backend(8);
  BufferRing buffers(*backend, 1, 4, 16);
  REQUIRE(buffers.error() == 0);
  Ring ring(*backend);
  Pair pair;
  Asked receive(ring);
  receive_multishot(receive, pair.ends[0], 1);
  pair.say("first");
  receive.await(1);
  REQUIRE(!receive.completions[0].is_last());
  REQUIRE(receive.operation.in_flight());
  REQUIRE(text_of(buffers.take(receive.completions[0].buffer_id(), 5)) == "first");
  pair.say("longer than one buffer");
  receive.await(3);
  REQUIRE(receive.completions[1].result == 16);
  REQUIRE(receive.completions[2].result == 6);
  {
    const Slice one = buffers.take(receive.completions[1].buffer_id(), 16);
    const Slice two = buffers.take(receive.completions[2].buffer_id(), 6);
    REQUIRE(text_of(one) == "longer than one ");
    REQUIRE(text_of(two) == "buffer");
  }
  pair.hang_up();
  receive.await(4);
  REQUIRE(receive.completions[3].result == 0);
  REQUIRE(receive.completions[3].is_last());
  REQUIRE(!receive.completions[3].has_buffer());
  REQUIRE(buffers.available() == 4);
}

TEST_CASE("a receive ends when buffers have run out, and the next one goes on where it stopped") {
  const auto backend = make_backend(8);
  BufferRing buffers(*backend, 1, 2, 4);
  Ring ring(*backend);
  Pair pair;
  Asked receive(ring);
  receive_multishot(receive, pair.ends[0], 1);
  pair.say("aaaabbbbcccc");
  receive.await(3);
  REQUIRE(receive.completions[2].result == -ENOBUFS);
  REQUIRE(!receive.operation.in_flight());
  for (int index : {0, 1}) {
    const Slice slice = buffers.take(receive.completions[index].buffer_id(), 4);
    REQUIRE(text_of(slice) == (index == 0 ? "aaaa" : "bbbb"));
  }
  Asked rest(ring);
  receive_multishot(rest, pair.ends[0], 1);
  rest.await(1);
  REQUIRE(text_of(buffers.take(rest.completions[0].buffer_id(), 4)) == "cccc");
  pair.hang_up();
  rest.await(2);
  REQUIRE(rest.completions[1].result == 0);
}

TEST_CASE("a cancelled receive ends, and a cancel too late finds nothing") {
  const auto backend = make_backend(8);
  BufferRing buffers(*backend, 1, 2, 64);
  Ring ring(*backend);
  Pair pair;
  Asked receive(ring), cancel(ring);
  receive_multishot(receive, pair.ends[0], 1);
  ring.turn(0);
  ring.cancel(receive.operation, cancel.operation);
  receive.await(1);
  cancel.await(1);
  REQUIRE(receive.completions[0].result == -ECANCELED);
  REQUIRE(cancel.completions[0].result == 0);
  io_uring_prep_cancel64(&ring.prepare(cancel.operation), reinterpret_cast<std::uintptr_t>(&receive.operation), 0);
  cancel.await(2);
  REQUIRE(cancel.completions[1].result == -ENOENT);
}

TEST_CASE("a group's id can be registered once") {
  const auto backend = make_backend(8);
  const BufferRing buffers(*backend, 3, 2, 64);
  REQUIRE(buffers.error() == 0);
  const BufferRing again(*backend, 3, 2, 64);
  REQUIRE(again.error() == EEXIST);
}

TEST_CASE("many more operations than either queue holds all complete, in order") {
  const auto backend = make_backend(4);
  Ring ring(*backend);
  struct Numbered {
    Numbered(int number_in, std::vector<int>& order_in) : number(number_in), order(order_in) {}
    void on_completion(const Completion&) { order.push_back(number); }
    OperationOf<Numbered, &Numbered::on_completion> operation{*this};
    int number;
    std::vector<int>& order;
  };
  std::vector<int> order, expected;
  std::deque<Numbered> operations;
  for (int number = 0; number < 1000; ++number) {
    expected.push_back(number);
    io_uring_prep_nop(&ring.prepare(operations.emplace_back(number, order).operation));
  }
  for (int turn = 0; turn < 2000 && ring.operations_in_flight() > 0; ++turn) ring.turn(0);
  REQUIRE(order == expected);
  REQUIRE(ring.counters().submitted == 1000);
}

TEST_CASE("a turn with nothing to come ends at its time, on a clock that does not go back") {
  const auto backend = make_backend(4);
  Ring ring(*backend);
  const std::uint64_t start_ns = backend->now_ns();
  ring.turn(20'000'000);
  REQUIRE(backend->now_ns() - start_ns >= 20'000'000);
  REQUIRE(ring.now_ns() >= start_ns + 20'000'000);
  REQUIRE(backend->enter(0, 1, 1'000'000) == -ETIME);
}

TEST_CASE("a TCP socket comes with no delay and keep-alive, and its peer has an address until it resets") {
  const auto backend = make_backend(4);
  TcpPair pair(*backend);
  int on = 0;
  socklen_t bytes = sizeof on;
  REQUIRE(getsockopt(pair.ours, IPPROTO_TCP, TCP_NODELAY, &on, &bytes) == 0);
  REQUIRE(on != 0);
  REQUIRE(getsockopt(pair.ours, SOL_SOCKET, SO_KEEPALIVE, &on, &bytes) == 0);
  REQUIRE(on != 0);
  const SocketAddress address = backend->peer_address(pair.ours);
  REQUIRE(address.bytes == sizeof(sockaddr_in));
  REQUIRE(reinterpret_cast<const sockaddr_in*>(address.get())->sin_port == pair.address.sin_port);
  pair.they_reset();
  REQUIRE(backend->peer_address(pair.ours).bytes == 0);
  backend->close_socket(pair.ours);
}

TEST_CASE("bytes that the peer has not acknowledged are counted, and none when it has them all") {
  const auto backend = make_backend(4);
  const TcpPair pair(*backend);
  REQUIRE(backend->unacknowledged_bytes(pair.ours) == 0);
  const std::vector<char> much(64 * 1024, 'x');
  while (send(pair.ours, much.data(), much.size(), MSG_DONTWAIT) > 0) {
  }
  REQUIRE(backend->unacknowledged_bytes(pair.ours) > 0);
  std::vector<char> heard(much.size());
  while (recv(pair.theirs, heard.data(), heard.size(), 0) > 0 && backend->unacknowledged_bytes(pair.ours) > 0) {
  }
  REQUIRE(backend->unacknowledged_bytes(pair.ours) == 0);
  REQUIRE(backend->unacknowledged_bytes(-1) == 0);
  backend->close_socket(pair.ours);
}

TEST_CASE("the kernel's TLS is attached once, or is not there, and takes no key before it is attached") {
  const auto backend = make_backend(4);
  const TcpPair pair(*backend);
  tls12_crypto_info_aes_gcm_128 key{};
  key.info = {.version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128};
  const auto bytes = std::as_bytes(std::span(&key, 1));
  REQUIRE(backend->set_tls_key(pair.ours, TlsDirection::send, bytes) == -ENOPROTOOPT);
  const int attached = backend->attach_tls(pair.ours);
  if (attached == 0) {
    REQUIRE(backend->attach_tls(pair.ours) == -EEXIST);
    REQUIRE(backend->set_tls_key(pair.ours, TlsDirection::send, bytes.first(bytes.size() - 1)) == -EINVAL);
    REQUIRE(backend->set_tls_key(pair.ours, TlsDirection::send, bytes) == 0);
    REQUIRE(backend->set_tls_key(pair.ours, TlsDirection::receive, bytes) == 0);
  } else {
    REQUIRE(attached == -ENOENT);
    REQUIRE(backend->set_tls_key(pair.ours, TlsDirection::send, bytes) == -ENOPROTOOPT);
  }
  backend->close_socket(pair.ours);
  REQUIRE(backend->attach_tls(-1) == -EBADF);
}

TEST_CASE("a socket that resets on close tells its peer so") {
  const auto backend = make_backend(4);
  const TcpPair pair(*backend);
  backend->reset_on_close(pair.ours);
  backend->close_socket(pair.ours);
  char byte = 0;
  REQUIRE(recv(pair.theirs, &byte, 1, 0) == -1);
  REQUIRE(errno == ECONNRESET);
}

TEST_CASE("how long bytes may stay unacknowledged is the socket's TCP_USER_TIMEOUT, however long") {
  const auto backend = make_backend(4);
  const int socket = backend->open_tcp_socket(AF_INET);
  const auto limit_ms = [&](std::uint64_t time_ns) {
    backend->limit_unacknowledged(socket, time_ns);
    unsigned ms = 0;
    socklen_t bytes = sizeof ms;
    REQUIRE(getsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &bytes) == 0);
    return ms;
  };
  CHECK(limit_ms(60'000'000'000) == 60'000);
  CHECK(limit_ms(std::uint64_t{1} << 62) == 0x7fff'ffffU);
  backend->close_socket(socket);
}

TEST_CASE("a family that is not there is an errno, and random bytes are not all alike") {
  const auto backend = make_backend(4);
  REQUIRE(backend->open_tcp_socket(AF_UNIX) < 0);
  std::array<std::byte, 64> bytes{}, zeros{};
  backend->fill_random(bytes);
  REQUIRE(bytes != zeros);
}

TEST_CASE("a ring that cannot be made is told in a sentence") {
  const auto backend = UringBackend::create(0);
  REQUIRE(!backend);
  REQUIRE(backend.error().message.find("io_uring") != std::string::npos);
}

}  // namespace ringwall::ring
