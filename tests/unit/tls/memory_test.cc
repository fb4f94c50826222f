// What a connection holds, counted at wolfSSL's allocator.
#include <malloc.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

#include <algorithm>
#include <cstdlib>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;
using test::Client;
using test::End;
using test::Folder;
using test::Server;

// Plain malloc underneath, so that blocks from before and after go through the same hands.
struct Counted {
  static inline long held = 0, most = 0;

  static void* allocate(std::size_t size) { return add(std::malloc(size)); }
  static void release(void* block) {
    if (block) held -= static_cast<long>(malloc_usable_size(block));
    std::free(block);
  }
  static void* resize(void* block, std::size_t size) {
    if (block) held -= static_cast<long>(malloc_usable_size(block));
    return add(std::realloc(block, size));
  }
  static void* add(void* block) {
    if (block) held += static_cast<long>(malloc_usable_size(block));
    most = std::max(most, held);
    return block;
  }
  Counted() {
    held = most = 0;
    REQUIRE(wolfSSL_SetAllocators(allocate, release, resize) == 0);
  }
  ~Counted() { wolfSSL_SetAllocators(std::malloc, std::free, std::realloc); }
};

TEST_CASE("an idle connection holds less than 6 KiB, and a busy one gives back what it took") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Counted counted;
    {
      Stream stream(*server.context);
      Client client({.version_min = version, .version_max = version, .server_name = "localhost", .alpn = {"http/1.1"}});
      REQUIRE(shake(stream, client) == End::both_done);
      const long after_handshake = Counted::held;
      INFO(version << ": at most " << Counted::most << " in the handshake, " << after_handshake << " after it, and "
                   << sizeof(Stream) << " of its own");
      CHECK(Counted::most < 40 * 1024);
      CHECK(after_handshake < 6 * 1024);

      const std::string text(100'000, 'x');
      for (int round = 0; round < 3; ++round) {
        client.send(text);
        CHECK(test::talk(stream, client).by_server == text);
        test::Sent sent;
        REQUIRE(stream.write(as_bytes(text), sent));
        client.receive(sent.bytes);
        CHECK(client.read() == text);
      }
      CHECK(Counted::held <= after_handshake);
    }
    CHECK(Counted::held == 0);
  }
}

TEST_CASE("a connection that has not said a whole ClientHello holds nothing of wolfSSL's") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  const Counted counted;
  Stream stream(*server.context);
  Client client({});
  client.step();
  std::vector<std::byte> hello = client.out();
  hello.pop_back();
  std::span<const std::byte> in = hello;
  test::Sent sent;
  REQUIRE(stream.handshake(in, sent) == Progress::need_input);
  CHECK(Counted::held == 0);
}

}  // namespace
}  // namespace ringwall::tls
