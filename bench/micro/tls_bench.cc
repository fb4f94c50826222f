// What a TLS record costs: sealed and opened, by each implementation of its AEAD, and a key's expansion.
//
// Names end in the record's plaintext bytes. What was sealed is opened once the clock has stopped, and the other way
// round what is opened was sealed here.
#include <benchmark/benchmark.h>
#include <ringwall/tls/records.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tls/aead.h"

namespace {

using namespace ringwall::tls;
using Buffer = std::vector<std::byte>;
using Make = std::unique_ptr<Aead> (*)();

class Nothing final : public Output {
 public:
  void append(std::span<const std::byte>) override {}
};

Keys keys_for(Version version, Cipher cipher) {
  Keys keys;
  keys.version = version;
  keys.cipher = cipher;
  std::ranges::fill(keys.send.key, std::byte{0x5A});
  keys.receive = keys.send;  // so that what is sealed can be opened
  return keys;
}

// A message of a node's in pieces, as a relay hands it over: a frame's header, then two runs of payload.
std::vector<Bytes> pieces_of(const Buffer& text, std::size_t count) {
  if (count == 1) return {Bytes(text)};
  const std::size_t half = text.size() / 2;
  return {Bytes(text).first(4), Bytes(text).subspan(4, half - 4), Bytes(text).subspan(half)};
}

bool opens(const Keys& keys, KeySchedules& schedules, Buffer record, std::uint64_t sequence, const Buffer& text) {
  Keys other = keys;
  other.receive.sequence = sequence;
  Records records(other, schedules);
  std::span<std::byte> wire = record;
  Records::Opened opened;
  Nothing out;
  return records.open(wire, opened, out) == Records::Progress::plaintext && std::ranges::equal(opened.plaintext, text);
}

void seal(benchmark::State& state, Make make, Version version, Cipher cipher, std::size_t pieces) {
  if (!make()) return state.SkipWithError("not in this build");
  KeySchedules schedules(make);
  const Keys keys = keys_for(version, cipher);
  const Buffer text(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  const auto list = pieces_of(text, pieces);
  Buffer out(text.size() + record_overhead_bytes_max);
  auto records = std::make_unique<Records>(keys, schedules);
  std::size_t bytes = 0;
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    if (records->records_sealed() == records_per_key_max) records = std::make_unique<Records>(keys, schedules);
    sequence = records->records_sealed();
    bytes = records->seal(list, out);
    benchmark::ClobberMemory();
  }
  out.resize(bytes);
  if (!opens(keys, schedules, out, sequence, text)) return state.SkipWithError("wrong record");
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// With the copy of the record that each turn needs anew, since opening overwrites it: see copy_record.
void open(benchmark::State& state, Make make, Version version, Cipher cipher) {
  if (!make()) return state.SkipWithError("not in this build");
  constexpr std::size_t batch = 64;
  KeySchedules schedules(make);
  const Keys keys = keys_for(version, cipher);
  const Buffer text(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  const std::array pieces{Bytes(text)};
  std::vector<Buffer> sealed;
  Records sealer(keys, schedules);
  for (std::size_t i = 0; i < batch; ++i) {
    sealed.emplace_back(text.size() + record_overhead_bytes_max);
    sealed.back().resize(sealer.seal(pieces, sealed.back()));
  }
  Buffer wire(sealed[0].size());
  Records::Opened opened;
  Nothing out;
  auto records = std::make_unique<Records>(keys, schedules);
  std::size_t next = 0;
  bool right = true;
  for (auto _ : state) {
    if (next == batch) {
      records = std::make_unique<Records>(keys, schedules);
      next = 0;
    }
    std::memcpy(wire.data(), sealed[next++].data(), wire.size());
    std::span<std::byte> in = wire;
    right = right && records->open(in, opened, out) == Records::Progress::plaintext;
    benchmark::ClobberMemory();
  }
  if (!right || !std::ranges::equal(opened.plaintext, text)) return state.SkipWithError("wrong plaintext");
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void copy_record(benchmark::State& state) {
  const Buffer from(static_cast<std::size_t>(state.range(0)) + record_overhead_bytes_max, std::byte{'x'});
  Buffer to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void expand(benchmark::State& state, Make make, Cipher cipher) {
  const auto aead = make();
  if (!aead) return state.SkipWithError("not in this build");
  const Keys keys = keys_for(Version::tls13, cipher);
  for (auto _ : state) {
    aead->expand(cipher, std::span(keys.send.key).first(key_bytes(cipher)));
    benchmark::ClobberMemory();
  }
}

void next_key(benchmark::State& state) {
  Key key = keys_for(Version::tls13, Cipher::aes_128_gcm).send;
  for (auto _ : state) {
    advance(key, Cipher::aes_128_gcm, Hash::sha256);
    benchmark::ClobberMemory();
  }
}

void register_all() {
  const struct {
    const char* name;
    Make make;
  } makers[] = {{"ipsec_mb", &make_ipsec_mb}, {"wolfcrypt", &make_wolfcrypt}};
  const struct {
    const char* name;
    Cipher cipher;
  } ciphers[] = {{"aes_128_gcm", Cipher::aes_128_gcm},
                 {"aes_256_gcm", Cipher::aes_256_gcm},
                 {"chacha20_poly1305", Cipher::chacha20_poly1305}};
  const auto sizes = [](auto* each) {
    for (const int bytes : {64, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10}) each->Arg(bytes);
  };
  for (const auto& maker : makers) {
    for (const auto& cipher : ciphers) {
      // ipsec-mb's object hands ChaCha20 on to wolfCrypt.
      if (maker.make == &make_ipsec_mb && cipher.cipher == Cipher::chacha20_poly1305) continue;
      const std::string by = std::string(cipher.name) + "/" + maker.name;
      for (const auto version : {Version::tls13, Version::tls12}) {
        const std::string tls = version == Version::tls13 ? "/tls13/" : "/tls12/";
        for (const std::size_t pieces : {1U, 3U}) {
          const std::string name = pieces == 1 ? "seal" + tls + by : "seal_3_pieces" + tls + by;
          sizes(benchmark::RegisterBenchmark(name.c_str(), seal, maker.make, version, cipher.cipher, pieces));
        }
        sizes(benchmark::RegisterBenchmark(("open" + tls + by).c_str(), open, maker.make, version, cipher.cipher));
      }
      benchmark::RegisterBenchmark(("expand/" + by).c_str(), expand, maker.make, cipher.cipher);
    }
  }
  sizes(benchmark::RegisterBenchmark("copy_record", copy_record));
  benchmark::RegisterBenchmark("next_key", next_key);
}

[[maybe_unused]] const bool registered = (register_all(), true);

}  // namespace
