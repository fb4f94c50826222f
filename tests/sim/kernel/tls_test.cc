// The simulated kernel's TLS where no kernel can be asked to be a witness: faults, and what is lost at the end.
#include "sim/kernel/peer.h"
#include "sim/kernel/sim_kernel.h"
#include "sim/kernel/submitter.h"
#include "sim/kernel/tls_play.h"
#include "unit/catch.h"

#include <ringwall/ring/buffer_ring.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

namespace ringwall::sim {
namespace {

struct Scene {
  explicit Scene(const Settings& settings, bool has_tls = true)
      : world(settings), kernel(world, {.has_tls = has_tls}), ring(kernel), peer(world) {
    peer.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1024));
    const int listener = kernel.open_listener(address_of("0.0.0.0", 443));
    while (socket < 0) {
      Recorded accept(ring);
      io_uring_prep_accept(&accept.prepare(), listener, nullptr, nullptr, 0);
      while (!accept.has_ended()) ring.turn(millisecond);
      socket = accept.completions.back().result;
    }
  }
  ~Scene() { kernel.close_socket(socket); }

  void begin_tls() {
    REQUIRE(kernel.attach_tls(socket) == 0);
    REQUIRE(kernel.set_tls_key(socket, ring::TlsDirection::send, crypto_info(1)) == 0);
    REQUIRE(kernel.set_tls_key(socket, ring::TlsDirection::receive, crypto_info(2)) == 0);
  }
  // What the peer can open of what it has got. Bytes of a record that is not whole are left out.
  [[nodiscard]] std::string heard() const {
    RecordCipher opener = *RecordCipher::from(crypto_info(1));
    const std::string& wire = peer.received();
    std::string text;
    for (std::size_t at = 0; wire.size() - at >= 5;) {
      const std::size_t bytes = 5 + (static_cast<std::size_t>(static_cast<unsigned char>(wire[at + 3])) << 8 |
                                     static_cast<unsigned char>(wire[at + 4]));
      if (wire.size() - at < bytes) break;
      const auto record = opener.open(bytes_of(wire).subspan(at, bytes));
      REQUIRE(record);
      text.append(reinterpret_cast<const char*>(record->bytes.data()), record->bytes.size());
      at += bytes;
    }
    return text;
  }

  World world;
  SimKernel kernel;
  ring::Ring ring;
  Peer peer;
  int socket = -1;
};

std::string some_text(Random& random, std::size_t bytes) {
  std::string text(bytes, ' ');
  for (char& letter : text) letter = static_cast<char>('a' + random.below(26));
  return text;
}

// Faults, but none that ends the connection or keeps it from beginning.
Settings troubled(std::uint64_t seed) {
  Random random(seed);
  Settings settings{.seed = seed, .faults = Faults::drawn(random)};
  settings.faults.connection_reset = settings.faults.descriptor_refused = 0;
  settings.paths.latency_ns_max = 5 * millisecond;
  return settings;
}

}  // namespace

TEST_CASE("a simulated kernel has no TLS unless a test wants it") {
  Scene scene({}, false);
  REQUIRE(scene.kernel.attach_tls(scene.socket) == -ENOENT);
  REQUIRE(scene.kernel.set_tls_key(scene.socket, ring::TlsDirection::send, crypto_info(1)) == -ENOPROTOOPT);
}

TEST_CASE("through short sends and late completions all that a send says it took is in records, in order") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    Scene scene(troubled(seed));
    scene.begin_tls();
    const std::string said = some_text(scene.world.random(), scene.world.random().skewed(1, 100'000));
    for (std::size_t at = 0; at < said.size();) {
      Recorded send(scene.ring);
      io_uring_prep_send(&send.prepare(), scene.socket, said.data() + at, said.size() - at, MSG_NOSIGNAL);
      while (!send.has_ended()) scene.ring.turn(millisecond);
      REQUIRE(send.completions.back().result > 0);
      at += static_cast<std::size_t>(send.completions.back().result);
    }
    for (int turn = 0; turn < 100'000 && scene.heard().size() < said.size(); ++turn) scene.ring.turn(50 * millisecond);
    REQUIRE(scene.heard() == said);
  }
}

TEST_CASE("through short receives and buffers that run out all records come out, and a control record between them") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    Scene scene(troubled(seed));
    scene.begin_tls();
    RecordCipher sealer = *RecordCipher::from(crypto_info(2));
    std::string expected;
    for (int count = 0; count < 12; ++count) {
      const bool is_data = count != 6;
      const std::string text = some_text(scene.world.random(), scene.world.random().skewed(1, 16 * 1024));
      scene.peer.send(sealer.seal(is_data ? data_type : alert_type, bytes_of(is_data ? text : close_notify)));
      expected += is_data ? text : "[21]";
    }
    scene.peer.half_close();

    ring::BufferRing buffers(scene.kernel, 1, 4, 4096);
    std::string got;
    std::array<std::byte, 64> control{};
    for (std::optional<int> end; !end;) {
      Recorded receive(scene.ring);
      io_uring_sqe& entry = receive.prepare();
      io_uring_prep_recv_multishot(&entry, scene.socket, nullptr, 0, 0);
      entry.flags |= IOSQE_BUFFER_SELECT;
      entry.buf_group = 1;
      while (!receive.has_ended()) scene.ring.turn(millisecond);
      for (const ring::Completion& completion : receive.completions) {
        if (!completion.has_buffer()) continue;
        const ring::Slice slice = buffers.take(completion.buffer_id(), static_cast<std::size_t>(completion.result));
        got.append(reinterpret_cast<const char*>(slice.bytes().data()), slice.size());
      }
      const int result = receive.completions.back().result;
      if (result == -EIO) {
        ring::TlsControlMessage message;
        Recorded typed(scene.ring);
        message.prepare_receive(typed.prepare(), scene.socket, control);
        while (!typed.has_ended()) scene.ring.turn(millisecond);
        if (message.ended_record()) got += "[" + std::to_string(message.record_type().value_or(0)) + "]";
      } else if (result <= 0 && result != -ENOBUFS) {
        end = result;
      }
    }
    REQUIRE(got == expected);
  }
}

// Linux keeps what TCP has no room for in the record layer, which a FIN does not wait for.
TEST_CASE("a shutdown right after a send can cut its last record, and none that was told to be taken before it") {
  std::size_t cut = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    Settings settings{.seed = seed};
    settings.paths = {.latency_ns_max = millisecond, .chunk_bytes_max = 4096, .buffer_bytes_max = 32 * 1024};
    Scene scene(settings);
    scene.begin_tls();
    const std::string said = some_text(scene.world.random(), 16 * 1024);
    Recorded send(scene.ring), shut(scene.ring);
    io_uring_prep_send(&send.prepare(), scene.socket, said.data(), said.size(), MSG_NOSIGNAL);
    while (!send.has_ended()) scene.ring.turn(millisecond);
    REQUIRE(send.completions.back().result == static_cast<int>(said.size()));
    io_uring_prep_shutdown(&shut.prepare(), scene.socket, SHUT_WR);
    while (!shut.has_ended() || !scene.peer.is_over()) scene.ring.turn(millisecond);
    const std::string heard = scene.heard();
    REQUIRE((heard == said || heard.empty()));
    cut += heard.empty() ? 1 : 0;
  }
  REQUIRE(cut > 0);
  REQUIRE(cut < 100);
}

}  // namespace ringwall::sim
