// Each implementation against published vectors, against OpenSSL and so against the other.
#include "tls/aead.h"

#include <algorithm>
#include <array>
#include <functional>
#include <thread>

#include "peer.h"
#include "record_peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::from_hex;
using Buffer = std::vector<std::byte>;

struct Implementation {
  std::string_view name;
  std::unique_ptr<Aead> aead;
};

// Both of a build for x86-64.
std::vector<Implementation> implementations() {
  std::vector<Implementation> all;
  all.push_back({"wolfCrypt", make_wolfcrypt()});
  if (auto aead = make_ipsec_mb()) all.push_back({"ipsec-mb", std::move(aead)});
  return all;
}

Buffer seal(const Aead& aead, Bytes nonce, Bytes aad, std::span<const Bytes> pieces, Bytes last) {
  std::size_t bytes = last.size();
  for (const Bytes piece : pieces) bytes += piece.size();
  Buffer sealed(bytes + tag_bytes);
  aead.seal(nonce.first<nonce_bytes>(), aad, pieces, last, bytes, sealed.data());
  return sealed;
}

bool open(const Aead& aead, Bytes nonce, Bytes aad, std::span<std::byte> sealed) {
  return aead.open(nonce.first<nonce_bytes>(), aad, sealed.first(sealed.size() - tag_bytes), sealed.last<tag_bytes>());
}

struct Vector {
  std::string_view source;
  Cipher cipher;
  std::string_view key, nonce, aad, text, sealed;
};

constexpr Vector vectors[] = {
    {"GCM specification, case 1", Cipher::aes_128_gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM specification, case 2", Cipher::aes_128_gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"GCM specification, case 4", Cipher::aes_128_gcm, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM specification, case 13", Cipher::aes_256_gcm,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM specification, case 14", Cipher::aes_256_gcm,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"GCM specification, case 16", Cipher::aes_256_gcm,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 section 2.8.2", Cipher::chacha20_poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
};

TEST_CASE("published vectors come out, by each implementation") {
  for (const auto& [name, aead] : implementations()) {
    for (const Vector& vector : vectors) {
      INFO(name << ", " << vector.source);
      const Buffer nonce = from_hex(vector.nonce), aad = from_hex(vector.aad), text = from_hex(vector.text);
      aead->expand(vector.cipher, from_hex(vector.key));
      const std::array pieces{Bytes(text)};
      Buffer sealed = seal(*aead, nonce, aad, pieces, {});
      CHECK(sealed == from_hex(vector.sealed));
      REQUIRE(open(*aead, nonce, aad, sealed));
      CHECK(std::ranges::equal(std::span(sealed).first(text.size()), text));
    }
  }
}

TEST_CASE("an x86-64 build for tests has both implementations, and says which it uses") {
#if defined(__x86_64__)
  CHECK(implementations().size() == 2);
  CHECK(aes_gcm_implementation() == "ipsec-mb");
#else
  CHECK(aes_gcm_implementation().starts_with("wolfCrypt ("));
#endif
}

TEST_CASE("texts of any length, cut anywhere, are sealed as OpenSSL does") {
  const std::string text = test::text_of(16385);
  const Buffer nonce = from_hex("000102030405060708090a0b");
  const Buffer aad = from_hex("1703034011");
  const std::byte last_byte{23};
  for (const auto& [name, aead] : implementations()) {
    for (const Cipher cipher : {Cipher::aes_128_gcm, Cipher::aes_256_gcm, Cipher::chacha20_poly1305}) {
      const Key key = test::keys_for({Version::tls13, cipher}).send;
      aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
      for (const std::size_t size :
           {1, 15, 16, 17, 63, 64, 255, 256, 257, 1000, 1024, 2047, 4095, 4096, 5000, 8191, 16383, 16384}) {
        for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, size / 3, size - 1, size}) {
          for (const bool has_last : {false, true}) {
            INFO(name << ", cipher " << int(cipher) << ", " << size << " bytes cut at " << cut << ", " << has_last);
            const Bytes whole = test::as_bytes(text).first(size);
            const std::array pieces{whole.first(cut), whole.subspan(cut)};
            Buffer gathered(whole.begin(), whole.end());
            if (has_last) gathered.push_back(last_byte);
            const Bytes last = has_last ? Bytes(&last_byte, 1) : Bytes();
            Buffer sealed = seal(*aead, nonce, aad, pieces, last);
            REQUIRE(sealed == test::evp_seal(cipher, key, nonce, aad, gathered));
            REQUIRE(open(*aead, nonce, aad, sealed));
            REQUIRE(std::ranges::equal(std::span(sealed).first(gathered.size()), gathered));
          }
        }
      }
    }
  }
}

TEST_CASE("one wrong bit anywhere, and nothing of the text is left") {
  const Buffer nonce = from_hex("000102030405060708090a0b");
  const std::string text = test::text_of(300);
  for (const auto& [name, aead] : implementations()) {
    for (const Cipher cipher : {Cipher::aes_128_gcm, Cipher::aes_256_gcm, Cipher::chacha20_poly1305}) {
      INFO(name << ", cipher " << int(cipher));
      const Key key = test::keys_for({Version::tls13, cipher}).send;
      aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
      const std::array pieces{test::as_bytes(text)};
      const Buffer aad = from_hex("1703030100");
      const Buffer good = seal(*aead, nonce, aad, pieces, {});
      for (std::size_t i = 0; i < good.size(); ++i) {
        Buffer wrong = good;
        wrong[i] ^= std::byte{0x10};
        REQUIRE(!open(*aead, nonce, aad, wrong));
        REQUIRE(std::ranges::count(std::span(wrong).first(text.size()), std::byte{0}) == 300);
      }
      Buffer other = good;
      CHECK(!open(*aead, nonce, from_hex("1703030101"), other));
      other = good;
      CHECK(!open(*aead, from_hex("000102030405060708090a0c"), aad, other));
    }
  }
}

TEST_CASE("threads with keys of their own don't disturb each other") {
  const auto work = [](Cipher cipher, bool& right) {
    const auto aead = make_ipsec_mb() ? make_ipsec_mb() : make_wolfcrypt();
    const Key key = test::keys_for({Version::tls13, cipher}).send;
    aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
    const Buffer nonce = from_hex("000102030405060708090a0b");
    const std::string text = test::text_of(5000);
    const std::array pieces{test::as_bytes(text)};
    const std::byte last{23};
    const Buffer expected = seal(*aead, nonce, nonce, pieces, Bytes(&last, 1));
    right = true;
    for (int i = 0; i < 300; ++i) right = right && seal(*aead, nonce, nonce, pieces, Bytes(&last, 1)) == expected;
  };
  bool right[2] = {};
  std::thread first(work, Cipher::aes_128_gcm, std::ref(right[0]));
  std::thread second(work, Cipher::aes_256_gcm, std::ref(right[1]));
  first.join();
  second.join();
  CHECK(right[0]);
  CHECK(right[1]);
}

}  // namespace
}  // namespace ringwall::tls
