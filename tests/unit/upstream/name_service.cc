#include "name_service.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

namespace ringwall::upstream::test {

namespace {

std::mutex mutex;
std::map<std::string, Names> known;
std::map<std::string, unsigned> asked;

addrinfo* row_of(const std::string& text, in_port_t port) {
  struct Row : addrinfo {
    sockaddr_storage storage;
  };
  auto* row = static_cast<Row*>(std::calloc(1, sizeof(Row)));
  auto& v4 = reinterpret_cast<sockaddr_in&>(row->storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(row->storage);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    row->ai_family = AF_INET;
    row->ai_addrlen = sizeof v4;
    v4.sin_port = port;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    row->ai_family = AF_INET6;
    row->ai_addrlen = sizeof v6;
    v6.sin6_port = port;
  } else {
    row->ai_family = AF_UNIX;
    row->ai_addrlen = sizeof(sa_family_t);
  }
  row->storage.ss_family = static_cast<sa_family_t>(row->ai_family);
  row->ai_addr = reinterpret_cast<sockaddr*>(&row->storage);
  return row;
}

}  // namespace

void set_name(const std::string& host, Names names) {
  const std::lock_guard lock(mutex);
  known[host] = std::move(names);
}

unsigned times_asked(const std::string& host) {
  const std::lock_guard lock(mutex);
  return asked[host];
}

}  // namespace ringwall::upstream::test

// In the place of the C library's.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  using namespace ringwall::upstream::test;
  std::unique_lock lock(mutex);
  ++asked[host];
  Names names{.addresses = {host}};
  in6_addr ignored{};
  const bool is_literal = inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
  if (!is_literal) {
    const auto at = known.find(host);
    if ((hints->ai_flags & AI_NUMERICHOST) != 0 || at == known.end()) return EAI_NONAME;
    names = at->second;
  }
  lock.unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(names.silence_ms));
  if (names.code != 0) return names.code;
  *found = nullptr;
  for (auto text = names.addresses.rbegin(); text != names.addresses.rend(); ++text) {
    addrinfo* row = row_of(*text, htons(static_cast<in_port_t>(std::atoi(service))));
    row->ai_next = *found;
    *found = row;
  }
  return 0;
}

extern "C" void freeaddrinfo(addrinfo* row) noexcept {
  while (row != nullptr) {
    addrinfo* const next = row->ai_next;
    std::free(row);
    row = next;
  }
}
