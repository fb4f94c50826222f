#include "upgrade.h"

#include <ringwall/check.h>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>

namespace ringwall::server {

namespace {

constexpr const char* itself = "/proc/self/exe";
constexpr const char* pair_variable = "LISTEN_FDS_PREDECESSOR";
constexpr int first_descriptor = 3;
constexpr std::uint64_t start_ms_max = 60'000;  // of a new process, which measures and resolves names at its start
constexpr int confirm_ms_max = 5'000;
constexpr char ready = 'R';
constexpr char taken_over = 'M';

// Of the same length wherever they differ: what follows has a fixed place. Keys change their form with these alone.
std::array<char, 64> format_of_keys() {
  std::array<char, 64> text{};
  fmt::format_to_n(text.data(), text.size() - 1, "ringwall {} {}", RINGWALL_VERSION, tls::library_version());
  return text;
}

bool is_one_of_ours(std::string_view variable) {
  for (const std::string_view name : {"LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "WATCHDOG_PID="}) {
    if (variable.starts_with(name)) return true;
  }
  return variable.starts_with(std::string(pair_variable) + "=");
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Copies above the numbers that the new process has them at, so that none is overwritten before its turn.
class Copies {
 public:
  ~Copies() {
    for (const int descriptor : descriptors_) close(descriptor);
  }
  [[nodiscard]] bool add(int descriptor, int above) {
    descriptors_.push_back(fcntl(descriptor, F_DUPFD_CLOEXEC, above));
    return descriptors_.back() >= 0;
  }
  [[nodiscard]] const std::vector<int>& get() const { return descriptors_; }

 private:
  std::vector<int> descriptors_;
};

// Where this program is by the word that it was started with; empty if that leads elsewhere.
std::string path_of(const std::string& word) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> folders;
  const char* const search = std::getenv("PATH");
  if (word.find('/') != std::string::npos) {
    folders.push_back(fs::current_path(error));
  } else if (search != nullptr) {
    std::istringstream text(search);
    for (std::string folder; std::getline(text, folder, ':');) folders.emplace_back(folder);
  }
  for (const fs::path& folder : folders) {
    const fs::path path = folder / word;
    if (path.is_absolute() && fs::equivalent(path, itself, error)) return path.lexically_normal().string();
  }
  return {};
}

// 0 or an errno.
int spawn(const std::string& path, std::vector<std::string> arguments, std::vector<std::string> environment,
          const std::vector<int>& descriptors, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (std::size_t index = 0; index < descriptors.size(); ++index) {
    posix_spawn_file_actions_adddup2(&actions, descriptors[index], first_descriptor + static_cast<int>(index));
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = posix_spawn(&pid, path.c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

bool send_keys(int pair, const tls::TicketKeys& keys) {
  std::vector<std::byte> message(format_of_keys().size() + tls::TicketKeys::keys_max * sizeof(tls::TicketKeyCopy));
  std::memcpy(message.data(), format_of_keys().data(), format_of_keys().size());
  std::array<tls::TicketKeyCopy, tls::TicketKeys::keys_max> copies{};
  const std::size_t count = keys.copy_to(copies);
  const std::size_t bytes = count * sizeof copies[0];
  std::memcpy(message.data() + format_of_keys().size(), copies.data(), bytes);
  const ssize_t sent = send(pair, message.data(), format_of_keys().size() + bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
  explicit_bzero(copies.data(), sizeof copies);
  explicit_bzero(message.data(), message.size());
  return sent > 0;
}

}  // namespace

// The program ---------------------------------------------------------------------------------------------------------

Program::Program() {
  const std::vector<std::string> words = arguments();
  if (!words.empty()) path_ = path_of(words.front());
  if (!path_.empty()) return;
  std::error_code error;
  path_ = std::filesystem::read_symlink(itself, error).string();
  // It has been replaced since.
  static constexpr std::string_view replaced = " (deleted)";
  if (path_.ends_with(replaced)) path_.resize(path_.size() - replaced.size());
}

std::vector<std::string> Program::arguments() const {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string one; std::getline(file, one, '\0');) arguments.push_back(one);
  return arguments;
}

// The old process -----------------------------------------------------------------------------------------------------

Successor::~Successor() {
  give_up();
  if (pair_ >= 0) close(pair_);
}

Result<void> Successor::start(const Program& program, const std::vector<int>& sockets, const tls::TicketKeys& keys,
                              const std::vector<std::pair<std::string, std::string>>& variables, std::uint64_t now_ms) {
  RINGWALL_CHECK(state_ == State::none || state_ == State::failed);
  // Whole messages each: keys that nobody reads are not taken for an answer.
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail_errno("socketpair", errno);
  pair_ = pair[0];
  const int pair_number = first_descriptor + static_cast<int>(sockets.size());
  std::vector<std::string> environment;
  for (const char* const* entry = environ; *entry != nullptr; ++entry) {
    if (!is_one_of_ours(*entry)) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  environment.push_back(fmt::format("LISTEN_FDS={}", sockets.size()));
  environment.push_back(fmt::format("{}={}", pair_variable, pair_number));
  Copies copies;
  bool copied = true;
  for (const int socket : sockets) copied = copied && copies.add(socket, pair_number + 1);
  copied = copied && copies.add(pair[1], pair_number + 1);
  const int error =
      copied ? spawn(program.path(), program.arguments(), std::move(environment), copies.get(), pid_) : errno;
  close(pair[1]);
  if (error != 0) {
    close(std::exchange(pair_, -1));
    return fail_errno(program.path(), error);
  }
  state_ = State::starting;
  give_up_ms_ = now_ms + start_ms_max;
  if (!send_keys(pair_, keys)) give_up();
  return {};
}

void Successor::give_up() {
  if (state_ != State::starting) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(std::exchange(pair_, -1));
  state_ = State::failed;
}

Successor::State Successor::look(std::uint64_t now_ms) {
  if (state_ != State::starting) return state_;
  char word = 0;
  const ssize_t bytes = recv(pair_, &word, 1, MSG_DONTWAIT);
  if (bytes == 1 && word == ready) {
    state_ = State::ready;
  } else if ((bytes < 0 && errno != EAGAIN && errno != EINTR) || bytes >= 0 || now_ms >= give_up_ms_) {
    give_up();
  }
  return state_;
}

bool Successor::confirm() {
  if (send(pair_, &taken_over, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) return true;
  state_ = State::starting;
  give_up();
  return false;
}

void Successor::let_go() {
  RINGWALL_CHECK(is_waiting());
  close(std::exchange(pair_, -1));
}

// The new process -----------------------------------------------------------------------------------------------------

Predecessor::Predecessor() : pair_(-1) {
  const char* const text = std::getenv(pair_variable);
  if (text == nullptr) return;
  const int number = std::atoi(text);
  unsetenv(pair_variable);
  if (number >= first_descriptor && fcntl(number, F_SETFD, FD_CLOEXEC) == 0) pair_ = number;
}

Predecessor::~Predecessor() {
  if (pair_ >= 0) close(pair_);
}

void Predecessor::take_keys(tls::TicketKeys& keys) const {
  if (pair_ < 0) return;
  const std::array<char, 64> format = format_of_keys();
  std::array<tls::TicketKeyCopy, tls::TicketKeys::keys_max> copies{};
  std::array<std::byte, sizeof format + sizeof copies> message{};
  const ssize_t bytes = recv(pair_, message.data(), message.size(), 0);
  if (bytes > static_cast<ssize_t>(sizeof format) && std::memcmp(message.data(), format.data(), sizeof format) == 0) {
    const std::size_t count = (static_cast<std::size_t>(bytes) - sizeof format) / sizeof copies[0];
    std::memcpy(copies.data(), message.data() + sizeof format, count * sizeof copies[0]);
    keys.adopt(std::span(copies).first(count));
  }
  explicit_bzero(copies.data(), sizeof copies);
  explicit_bzero(message.data(), message.size());
}

bool Predecessor::say_ready() {
  RINGWALL_CHECK(is_there());
  pollfd heard{.fd = pair_, .events = POLLIN, .revents = 0};
  char word = 0;
  if (send(pair_, &ready, 1, MSG_NOSIGNAL) != 1) return errno == EPIPE;
  // Where time is up nothing more may be said, and what was said before that counts: the old one knows which it was.
  if (poll(&heard, 1, confirm_ms_max) != 1) (void)shutdown(pair_, SHUT_RD);
  const ssize_t bytes = recv(pair_, &word, 1, MSG_DONTWAIT);
  return (bytes == 0 && (heard.revents & POLLHUP) != 0) || (bytes == 1 && word == taken_over);
}

bool Predecessor::has_let_go() {
  if (pair_ < 0) return false;
  char word = 0;
  const ssize_t bytes = recv(pair_, &word, 1, MSG_DONTWAIT);
  if (bytes > 0 || (bytes < 0 && (errno == EAGAIN || errno == EINTR))) return false;
  close(std::exchange(pair_, -1));
  return true;
}

}  // namespace ringwall::server
