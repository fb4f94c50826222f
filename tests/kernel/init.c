// init.c: the first process of a kernel that is booted to run one command. See README.md.
//
//   job=JOB on the kernel's command line: JOB/job says what to load and mount; JOB/command is executed; JOB/status gets
//   its exit status
//
// Static, since in an initramfs there is no C library. It ends by powering off; without a JOB/status it failed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/module.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { LINES_MAX = 128, WORDS_MAX = 5, OPEN_FILES_MAX = 1 << 20 };

// One line of the job: its words, and the descriptor of a scratch folder, opened before /tmp and the like are covered.
struct line {
  char* word[WORDS_MAX];
  int words;
  int folder;
};

static struct line lines[LINES_MAX];
static int line_count;

_Noreturn static void give_up(const char* format, ...) {
  const int error = errno;
  va_list arguments;
  va_start(arguments, format);
  fputs("init: ", stdout);
  vprintf(format, arguments);
  printf(": %s\n", strerror(error));
  va_end(arguments);
  fflush(stdout);
  sync();
  reboot(RB_POWER_OFF);
  _exit(1);
}

static void read_job(const char* path) {
  FILE* const file = fopen(path, "re");
  if (file == NULL) {
    give_up("%s", path);
  }
  char* text = NULL;
  size_t size = 0;
  while (getline(&text, &size, file) > 0) {
    struct line* const line = &lines[line_count];
    char* rest = strdup(text);
    for (char* word; line->words < WORDS_MAX && (word = strsep(&rest, " \n")) != NULL;) {
      if (*word != '\0') {
        line->word[line->words++] = word;
      }
    }
    line->folder = -1;
    line_count += line->words > 0;
    if (line_count == LINES_MAX) {
      errno = E2BIG;
      give_up("%s", path);
    }
  }
  free(text);
  fclose(file);
}

static int is(const struct line* line, const char* verb, int words) {
  if (strcmp(line->word[0], verb) != 0) {
    return 0;
  }
  if (line->words != words) {
    errno = EINVAL;
    give_up("%s has %d words, not %d", verb, words, line->words);
  }
  return 1;
}

static void make_folders(const char* path) {
  char part[PATH_MAX];
  snprintf(part, sizeof part, "%s", path);
  for (char* slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
    *slash = '\0';
    mkdir(part, 0755);
  }
  mkdir(part, 0755);
}

static void mount_or_give_up(const char* type, const char* source, const char* target, unsigned long flags,
                             const char* options) {
  make_folders(target);
  // EBUSY: the kernel has mounted its /dev itself.
  if (mount(source, target, type, flags, options) != 0 && errno != EBUSY) {
    give_up("mount -t %s -o %s %s %s", type, options, source, target);
  }
}

// module FILE: in their order, each after what it depends on.
static void load_modules(void) {
  for (int i = 0; i < line_count; i++) {
    if (!is(&lines[i], "module", 2)) {
      continue;
    }
    const char* const suffix = strrchr(lines[i].word[1], '.');
    const int flags = suffix != NULL && strcmp(suffix, ".ko") != 0 ? MODULE_INIT_COMPRESSED_FILE : 0;
    const int file = open(lines[i].word[1], O_RDONLY | O_CLOEXEC);
    if (file < 0 || (syscall(SYS_finit_module, file, "", flags) != 0 && errno != EEXIST)) {
      give_up("%s", lines[i].word[1]);
    }
    close(file);
  }
}

// root TYPE SOURCE OPTIONS: from the initramfs into the host's file system.
static void enter_root(void) {
  for (int i = 0; i < line_count; i++) {
    if (is(&lines[i], "root", 4)) {
      mount_or_give_up(lines[i].word[1], lines[i].word[2], "/host", MS_RDONLY, lines[i].word[3]);
      if (chdir("/host") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0) {
        give_up("the new root");
      }
    }
  }
}

// scratch FOLDER: seen as it is, may be written, is forgotten at the end.
static void open_scratch(void) {
  for (int i = 0; i < line_count; i++) {
    if (is(&lines[i], "scratch", 2)) {
      lines[i].folder = open(lines[i].word[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (lines[i].folder < 0) {
        give_up("%s", lines[i].word[1]);
      }
    }
  }
}

static void mount_scratch(const struct line* line, int number) {
  char upper[64];
  char work[64];
  char options[256];
  snprintf(upper, sizeof upper, "/run/scratch/%d/upper", number);
  snprintf(work, sizeof work, "/run/scratch/%d/work", number);
  make_folders(upper);
  make_folders(work);
  snprintf(options, sizeof options, "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s", line->folder, upper, work);
  mount_or_give_up("overlay", "overlay", line->word[1], 0, options);
  close(line->folder);
}

static void mount_all(void) {
  mount_or_give_up("proc", "proc", "/proc", 0, "");
  mount_or_give_up("sysfs", "sysfs", "/sys", 0, "");
  mount_or_give_up("devtmpfs", "devtmpfs", "/dev", 0, "");
  mount_or_give_up("devpts", "devpts", "/dev/pts", 0, "gid=5,mode=620,ptmxmode=666");
  mount_or_give_up("tmpfs", "tmpfs", "/dev/shm", 0, "mode=1777");
  mount_or_give_up("tmpfs", "tmpfs", "/run", 0, "mode=0755");
  mount_or_give_up("tmpfs", "tmpfs", "/tmp", 0, "mode=1777");
  mount_or_give_up("tmpfs", "tmpfs", "/var/tmp", 0, "mode=1777");
  symlink("/proc/self/fd", "/dev/fd");
  for (int i = 0; i < line_count; i++) {
    if (lines[i].folder >= 0) {
      mount_scratch(&lines[i], i);
    }
  }
  // writable TYPE SOURCE OPTIONS FOLDER: what is written there stays. After the scratch folders, which may hold it.
  for (int i = 0; i < line_count; i++) {
    if (is(&lines[i], "writable", 5)) {
      mount_or_give_up(lines[i].word[1], lines[i].word[2], lines[i].word[4], 0, lines[i].word[3]);
    }
  }
}

static void bring_loopback_up(void) {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0) {
    give_up("lo");
  }
  close(any);
}

static void let_the_console_be(void) {
  struct termios mode;
  if (tcgetattr(STDOUT_FILENO, &mode) == 0) {
    mode.c_oflag &= ~(tcflag_t)OPOST;  // No carriage returns.
    tcsetattr(STDOUT_FILENO, TCSANOW, &mode);
  }
}

_Noreturn static void become(const char* command) {
  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) {
    give_up("/dev/null");
  }
  const struct rlimit open_files = {.rlim_cur = 1024, .rlim_max = OPEN_FILES_MAX};
  setrlimit(RLIMIT_NOFILE, &open_files);
  execl(command, command, (char*)NULL);
  give_up("%s", command);
}

// The kernel says with the highest urgency, so whatever its loglevel, that it powers off: that is none of the command's
// output. A level of 0 lets nothing through but a panic.
static void silence_kernel(void) {
  const int level = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);
  if (level < 0 || write(level, "0", 1) != 1) {
    give_up("/proc/sys/kernel/printk");
  }
  close(level);
}

static void say_status(const char* job, int status) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/status", job);
  FILE* const file = fopen(path, "we");
  if (file == NULL || fprintf(file, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)) < 0 ||
      fclose(file) != 0) {
    give_up("%s", path);
  }
}

int main(void) {
  let_the_console_be();
  const char* const job = getenv("job");
  if (job == NULL) {
    errno = EINVAL;
    give_up("no job=FOLDER on the kernel's command line");
  }
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/job", job);
  read_job(path);
  load_modules();
  enter_root();
  open_scratch();
  mount_all();
  bring_loopback_up();
  snprintf(path, sizeof path, "%s/command", job);
  const pid_t child = fork();
  if (child < 0) {
    give_up("fork");
  }
  if (child == 0) {
    become(path);
  }
  int status = 0;
  for (pid_t ended; (ended = wait(&status)) != child;) {
    if (ended < 0) {
      give_up("wait");
    }
  }
  say_status(job, status);
  sync();
  silence_kernel();
  reboot(RB_POWER_OFF);
}
