// Keys that advance, and that leave nothing behind.
#include <ringwall/tls/keys.h>

#include <algorithm>
#include <memory>
#include <new>

#include "record_peer.h"
#include "tls/aead.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

bool contains(std::span<const std::byte> memory, std::span<const std::byte> secret) {
  return !std::ranges::search(memory, secret).empty();
}

TEST_CASE("the next key follows from the secret as RFC 8446 section 7.2 says") {
  for (const test::Suite suite : test::suites) {
    if (suite.version != Version::tls13) continue;
    const Keys keys = test::keys_for(suite);
    Key key = keys.receive;
    key.sequence = 9;
    auto secret = std::vector(key.secret.begin(), key.secret.begin() + secret_bytes(keys.hash));
    for (int generation = 0; generation < 3; ++generation) {
      secret = test::expand_label(secret, "traffic upd", secret.size(), keys.hash);
      advance(key, keys.cipher, keys.hash);
      CHECK(std::ranges::equal(std::span(key.secret).first(secret.size()), secret));
      CHECK(std::ranges::equal(std::span(key.key).first(key_bytes(keys.cipher)),
                               test::expand_label(secret, "key", key_bytes(keys.cipher), keys.hash)));
      CHECK(std::ranges::equal(key.iv, test::expand_label(secret, "iv", 12, keys.hash)));
      CHECK(key.sequence == 0);
    }
  }
}

TEST_CASE("keys are gone from the memory that they were in") {
  const Keys original = test::keys_for(test::suites[1]);
  alignas(Keys) std::byte memory[sizeof(Keys)];
  Keys* const keys = new (memory) Keys(original);
  CHECK(contains(memory, original.send.secret));
  keys->~Keys();
  std::span<const std::byte> seen(std::launder(memory), sizeof memory);
  for (const Key* key : {&original.send, &original.receive}) {
    CHECK(!contains(seen, std::span(key->key).first(8)));
    CHECK(!contains(seen, std::span(key->iv).first(8)));
    CHECK(!contains(seen, std::span(key->secret).first(8)));
  }
}

TEST_CASE("an expanded key is gone when it is forgotten") {
  for (const bool ipsec_mb : {false, true}) {
    const auto aead = ipsec_mb ? make_ipsec_mb() : make_wolfcrypt();
    if (!aead) continue;
    const Key key = test::keys_for(test::suites[1]).send;
    // The round keys begin with the key itself, in each implementation's object.
    const std::span<const std::byte> memory(reinterpret_cast<const std::byte*>(aead.get()), 512);
    aead->expand(Cipher::aes_256_gcm, key.key);
    CHECK(contains(memory, std::span(key.key).first(16)));
    aead->forget();
    CHECK(!contains(memory, std::span(key.key).first(8)));
  }
}

TEST_CASE("the shard's schedules serve one connection at a time, each with its own key") {
  const Keys a = test::keys_for(test::suites[0]), b = test::keys_for(test::suites[1]);
  KeySchedules schedules;
  const auto sealed = [&schedules](const Keys& keys, const void* owner) {
    std::vector<std::byte> out(16);
    schedules.sealing(owner, keys.send, keys.cipher)
        .seal(std::span(keys.send.iv).first<12>(), {}, {}, {}, 0, out.data());
    return out;
  };
  const auto first = sealed(a, &a);
  const auto second = sealed(b, &b);
  CHECK(first != second);
  CHECK(sealed(a, &a) == first);
  schedules.forget_sealing(&b);  // not the one that it has
  CHECK(sealed(a, &a) == first);
  // Known by its address: another key needs to be told.
  schedules.forget_sealing(&a);
  CHECK(sealed(b, &a) == second);
}

}  // namespace
}  // namespace ringwall::tls
