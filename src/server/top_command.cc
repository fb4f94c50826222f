// ringwall top: a screen a second, until q or Ctrl-C. A Ringwall that goes away is waited for.
#include <ringwall/admin/client.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>
#include <ringwall/server/top_screen.h>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::server {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int refresh_ms = 1000;
constexpr std::chrono::seconds patience{3};
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t suspended = 0;

void interrupt(int) { interrupted = 1; }
void suspend(int) { suspended = 1; }
void resize(int) {}  // it ends the wait

double seconds_of(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

// Keys come one by one and unseen, on a screen of its own, until the end of the object.
class Terminal {
 public:
  Terminal() {
    is_keyboard_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    if (is_keyboard_) tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    (void)print("\x1b[?1049h\x1b[?25l");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    (void)print("\x1b[0m\x1b[?25h\x1b[?1049l");
    if (is_keyboard_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  // Waits for a key, at most `refresh_ms`; 0: there was none. Only here a resize and Ctrl-Z are noticed.
  [[nodiscard]] char key() {
    pollfd keyboard{.fd = is_keyboard_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    const timespec wait{.tv_sec = refresh_ms / 1000, .tv_nsec = refresh_ms % 1000 * 1'000'000};
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    for (const int number : {SIGWINCH, SIGTSTP}) sigdelset(&mask, number);
    if (ppoll(&keyboard, 1, &wait, &mask) <= 0) return 0;
    char pressed = 0;
    if (read(STDIN_FILENO, &pressed, 1) == 1) return pressed;
    is_keyboard_ = false;  // it is gone, and would be readable for ever
    return 0;
  }

 private:
  termios before_{};
  bool is_keyboard_ = false;
};

struct By {
  char key;
  std::string_view name;
};
constexpr std::array<By, 3> orders{{{'u', "units"}, {'c', "calls"}, {'b', "bytes"}}};

class Top {
 public:
  explicit Top(const CtlOptions& options) : at_(options.at), by_(options.by) {}

  // Asks once more; the screen compares with the time before. An error leaves what was there, and is told with it.
  [[nodiscard]] Result<void> refresh() {
    Result<void> asked = ask();
    trouble_ = asked ? std::string() : asked.error().message;
    return asked;
  }

  [[nodiscard]] Result<std::vector<ScreenLine>> screen(std::size_t rows, std::size_t columns) const {
    return top_screen({.before = before_,
                       .now = now_,
                       .talkers = talkers_,
                       .seconds = seconds_,
                       .trouble = trouble_,
                       .silent_s = seconds_of(Clock::now() - asked_),
                       .rows = rows,
                       .columns = columns});
  }

  // What can be pressed; what is chosen stands in brackets.
  [[nodiscard]] std::string keys() const {
    std::string text = "q quit   talkers by";
    for (const By& order : orders) {
      const bool is_it = order.name == by_;
      text.append(" ").append(1, order.key).append(is_it ? " [" : " ").append(order.name).append(is_it ? "]" : "");
    }
    return text;
  }

  void press(char key) {
    for (const By& order : orders) {
      if (order.key == key) by_ = order.name;
    }
  }

 private:
  [[nodiscard]] Result<void> ask() {
    Result<std::string> status = body_of("/status");
    if (!status) return std::unexpected(status.error());
    Result<std::string> talkers = body_of("/top?by=" + by_);
    if (!talkers) return std::unexpected(talkers.error());
    // What cannot be understood does not take the place of what can.
    if (const auto understood = top_screen({.before = *status, .now = *status, .talkers = *talkers}); !understood) {
      return std::unexpected(understood.error());
    }
    const auto now = Clock::now();
    seconds_ = seconds_of(now - asked_);
    asked_ = now;
    before_ = now_.empty() ? *status : std::move(now_);
    now_ = std::move(*status);
    talkers_ = std::move(*talkers);
    return {};
  }

  [[nodiscard]] Result<std::string> body_of(const std::string& target) const {
    Result<admin::Reply> reply = admin::ask(at_, "GET", target, patience);
    if (!reply) return std::unexpected(reply.error());
    if (reply->status != 200) return fail(at_ + ": " + reply->body);
    return std::move(reply->body);
  }

  const std::string at_;
  std::string by_;
  std::string before_;
  std::string now_;
  std::string talkers_;
  std::string trouble_;
  double seconds_ = 1;
  Clock::time_point asked_{};
};

int refuse(const Error& error) {
  print_error("ringwall: " + error.message + "\n");
  return 1;
}

int print_once(Top& top) {
  for (int times = 0; times < 2; ++times) {
    if (times > 0) poll(nullptr, 0, refresh_ms);
    if (const Result<void> asked = top.refresh(); !asked) return refuse(asked.error());
  }
  const auto lines = top.screen(SIZE_MAX, SIZE_MAX);
  if (!lines) return refuse(lines.error());
  std::string text;
  for (const ScreenLine& line : *lines) text += line.text + "\n";
  return print(text);
}

std::string_view style_of(Mood mood, bool is_coloured) {
  switch (mood) {
    case Mood::plain:
      return "";
    case Mood::heading:
      return "\x1b[1m";
    case Mood::warning:
      return is_coloured ? "\x1b[33m" : "\x1b[1m";
    case Mood::alarm:
      return is_coloured ? "\x1b[1;31m" : "\x1b[7m";
  }
  return "";
}

// Over what was there, line by line: a screen that is cleared first flickers.
Result<std::string> drawn(const Top& top) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  }
  // A terminal that waits at its right edge would lose the last character to what clears the rest of the line.
  const std::size_t columns = size.ws_col - 1U;
  const auto lines = top.screen(size.ws_row - 1U, columns);
  if (!lines) return std::unexpected(lines.error());
  const bool is_coloured = variable("NO_COLOR").empty();
  std::string text = "\x1b[H";
  for (const ScreenLine& line : *lines) {
    const std::string_view style = style_of(line.mood, is_coloured);
    text.append(style).append(line.text).append(style.empty() ? "" : "\x1b[0m").append("\x1b[K\n");
  }
  return text.append(cut(top.keys(), columns)).append("\x1b[J");
}

Result<void> watch(Top& top) {
  if (Result<void> asked = top.refresh(); !asked) return asked;
  sigset_t waits;
  sigemptyset(&waits);
  for (const int number : {SIGWINCH, SIGTSTP}) sigaddset(&waits, number);
  sigprocmask(SIG_BLOCK, &waits, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) handle(number, interrupt);
  handle(SIGWINCH, resize);
  handle(SIGTSTP, suspend);
  std::optional<Terminal> terminal(std::in_place);
  while (!interrupted) {
    const Result<std::string> text = drawn(top);
    if (!text) return std::unexpected(text.error());
    if (print(*text) != 0) return {};
    const char key = terminal->key();
    if (key == 'q') return {};
    top.press(key);
    if (suspended != 0) {
      suspended = 0;
      terminal.reset();
      raise(SIGSTOP);
      terminal.emplace();
    }
    (void)top.refresh();  // the screen says what became of it
  }
  return {};
}

}  // namespace

int run_top(const Options& options) {
  Top top(options.ctl);
  const std::string_view kind = variable("TERM");
  if (options.ctl.once || !isatty(STDOUT_FILENO) || kind.empty() || kind == "dumb") return print_once(top);
  const Result<void> watched = watch(top);
  return watched ? 0 : refuse(watched.error());
}

}  // namespace ringwall::server
