// Keys that advance, and that leave nothing behind.
#include <ringwall/tls/keys.h>

#include <algorithm>
#include <memory>
#include <new>
#include <set>
#include <vector>

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

// What a key makes of nothing, under one nonce.
std::vector<std::byte> sealed(KeySchedules& schedules, KeySchedules::Ticket& ticket, const Keys& keys) {
  std::vector<std::byte> out(16);
  schedules.ready(ticket, keys.send, keys.cipher).seal(std::span(keys.send.iv).first<12>(), {}, {}, {}, 0, out.data());
  return out;
}

Keys numbered(std::size_t number) {
  Keys keys = test::keys_for(test::suites[number % std::size(test::suites)]);
  keys.send.key[0] = static_cast<std::byte>(number);
  keys.send.key[1] = static_cast<std::byte>(number >> 8);
  return keys;
}

TEST_CASE("a key is expanded once while no more take turns than there are schedules") {
  const Keys a = numbered(0), b = numbered(1);
  KeySchedules schedules;
  KeySchedules::Ticket a_ticket, b_ticket;
  const auto of_a = sealed(schedules, a_ticket, a);
  const auto of_b = sealed(schedules, b_ticket, b);
  CHECK(of_a != of_b);
  // Not expanded again: another key is not looked at.
  CHECK(sealed(schedules, a_ticket, b) != of_b);
  CHECK(sealed(schedules, a_ticket, a) == of_a);
  schedules.forget(b_ticket);
  schedules.forget(b_ticket);
  CHECK(sealed(schedules, a_ticket, a) == of_a);
  // The key of `a` is another from here on.
  schedules.forget(a_ticket);
  CHECK(sealed(schedules, a_ticket, b) == of_b);
}

TEST_CASE("of more owners than there are schedules, none meets the key of another") {
  KeySchedules schedules, others;
  constexpr std::size_t owners = 3 * KeySchedules::schedules_max / 2;
  std::vector<KeySchedules::Ticket> tickets(owners);
  std::vector<std::vector<std::byte>> expected;
  for (std::size_t i = 0; i < owners; ++i) {
    KeySchedules::Ticket ticket;
    expected.push_back(sealed(others, ticket, numbered(i)));
    others.forget(ticket);
  }
  // Back and forth: some are still there, most have lost their schedule to another. Some forget a lost one.
  for (std::size_t turn = 0; turn < 4 * owners; ++turn) {
    const std::size_t i = turn / owners % 2 == 0 ? turn % owners : owners - 1 - turn % owners;
    if (turn % 7 == 0) schedules.forget(tickets[i]);
    REQUIRE(sealed(schedules, tickets[i], numbered(i)) == expected[i]);
  }
}

TEST_CASE("a schedule that goes to a key of another size keeps nothing of the one before") {
  for (const auto& make : {make_ipsec_mb, make_wolfcrypt}) {
    const auto aead = make();
    if (!aead) continue;
    // As much as the smaller of the two is.
    const std::span<const std::byte> memory(reinterpret_cast<const std::byte*>(aead.get()), wolfcrypt_bytes_max());
    Key key = test::keys_for(test::suites[1]).send;
    for (const Cipher cipher : {Cipher::aes_128_gcm, Cipher::chacha20_poly1305}) {
      aead->expand(Cipher::aes_256_gcm, key.key);
      REQUIRE(contains(memory, std::span(key.key).first(16)));
      const std::vector<std::byte> before(memory.begin(), memory.end());
      key.key[0] ^= std::byte{1};
      aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
      for (std::size_t at = 0; at + 16 <= memory.size(); at += 16) {
        const auto now = memory.subspan(at, 16);
        if (!std::ranges::equal(now, std::span(before).subspan(at, 16))) continue;
        // What stays the same is no round key: those look like chance.
        CHECK(std::set(now.begin(), now.end()).size() < 11);
      }
    }
  }
}

}  // namespace
}  // namespace ringwall::tls
