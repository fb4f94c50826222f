// random_stream.h: streams of frames that are mostly right, from a seed.
#pragma once

#include <random>
#include <string>

#include "unit/websocket/reference.h"

namespace reference {

inline std::string random_payload(std::minstd_rand& random, std::size_t bytes_max) {
  const std::string characters[] = {"a", "{}", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\x94", "\xFF"};
  std::string payload;
  const std::size_t bytes = random() % (bytes_max + 1);
  const bool with_an_error = random() % 16 == 0;
  while (payload.size() < bytes) payload += characters[random() % (with_an_error ? 6 : 5)];
  payload.resize(bytes);  // may cut a character
  return payload;
}

inline std::string random_stream(std::minstd_rand& random, bool from_client) {
  std::string stream;
  std::size_t last_header = 0;
  const auto key = [&] { return from_client ? big_endian(random(), 4) : std::string(); };
  const auto control = [&] {
    const bool closes = random() % 16 == 0;
    const std::string payload = closes ? big_endian(1000 + random() % 16, 2) : random_payload(random, 125);
    last_header = stream.size();
    stream += frame(true, closes ? 8 : random() % 2 == 0 ? 9 : 10, payload, key());
  };
  for (std::size_t messages = random() % 8; messages > 0; --messages) {
    const std::size_t fragments = random() % 3 == 0 ? 1 + random() % 5 : 1;
    const std::string text = random_payload(random, random() % 8 == 0 ? 70000 : 200);
    std::size_t start = 0;
    for (std::size_t i = 0; i < fragments; ++i) {
      if (random() % 4 == 0) control();
      const bool last = i + 1 == fragments;
      const std::size_t bytes = last ? text.size() - start : random() % (text.size() - start + 1);
      last_header = stream.size();
      stream += frame(last, i != 0 ? 0 : random() % 2 == 0 ? 1 : 2, text.substr(start, bytes), key());
      start += bytes;
    }
  }
  if (random() % 4 == 0 && !stream.empty()) stream[last_header + random() % 2] ^= static_cast<char>(1 << random() % 8);
  if (random() % 4 == 0) stream.resize(random() % (stream.size() + 1));
  return stream;
}

}  // namespace reference
