// Counts the file-related calls of a program below a folder, writes down those that change something, and makes one of
// them fail. Loaded with LD_PRELOAD by faults.py, which says what to do in the environment:
//   FAULTS_ROOT  the folder
//   FAULTS_LOG   where to write down what was done: one line a call, with the bytes behind it
//   FAULTS_AT    the number of the call that fails, counted from 1
//   FAULTS_DO    kill; short; full (no space from here on); or the number of an error
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READS, FREES, CHANGES, WRITES };

static struct {
  const char *root, *action;
  long at;
  int log, is_on;
} plan;
static atomic_long calls;

__attribute__((constructor)) static void read_plan(void) {
  plan.root = getenv("FAULTS_ROOT");
  plan.action = getenv("FAULTS_DO") ?: "";
  plan.at = atol(getenv("FAULTS_AT") ?: "0");
  const char *log = getenv("FAULTS_LOG");
  plan.log = log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  plan.is_on = plan.root != NULL;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void resolve(int folder, const char *path, char *out) {
  out[0] = 0;
  if (path && path[0] == '/') {
    snprintf(out, PATH_MAX, "%s", path);
    return;
  }
  char link[64];
  if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
  else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX / 2);
  out[length > 0 ? length : 0] = 0;
  if (path && path[0]) snprintf(out + strlen(out), PATH_MAX / 2, "/%s", path);
}

static int is_watched(const char *path) {
  size_t length = plan.is_on ? strlen(plan.root) : 0;
  return length && !strncmp(path, plan.root, length) && (path[length] == '/' || !path[length]);
}

// What a call shall do: 0 as always, 1 fail with errno, 2 do half of it.
static int fate(const char *call, int kind, const char *path) {
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (plan.log >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "call\t%s\t%d\t%s\n", call, kind, path);
    syscall(SYS_write, plan.log, line, length);
  }
  if (!strcmp(plan.action, "full") && plan.at > 0 && number >= plan.at && kind >= CHANGES) {
    errno = ENOSPC;
    return 1;
  }
  if (number != plan.at || !strcmp(plan.action, "full")) return 0;
  if (!strcmp(plan.action, "kill")) syscall(SYS_kill, getpid(), SIGKILL);
  if (!strcmp(plan.action, "short")) return 2;
  errno = atoi(plan.action);
  return 1;
}

static void note(const char *what, const char *path, const char *other, long offset, const void *bytes, size_t count) {
  if (plan.log < 0) return;
  int saved = errno;
  char line[2 * PATH_MAX + 128];
  int length = snprintf(line, sizeof line, "%s\t%s\t%s\t%ld\t%zu\n", what, path, other, offset, count);
  syscall(SYS_write, plan.log, line, length);
  if (bytes && count) syscall(SYS_write, plan.log, bytes, count);
  errno = saved;
}

#define AT(folder, path) char place[PATH_MAX]; resolve(folder, path, place); int is_ours = is_watched(place)
#define FAIL(call, kind) if (is_ours && fate(call, kind, place) == 1) return -1

static int open_file(const char *call, int folder, const char *path, int flags, mode_t mode) {
  AT(folder, path);
  struct stat status;
  int was = is_ours && !syscall(SYS_newfstatat, AT_FDCWD, place, &status, AT_SYMLINK_NOFOLLOW);
  FAIL(call, flags & (O_CREAT | O_TRUNC) && !(was && flags & O_CREAT) ? CHANGES : READS);
  int file = syscall(SYS_openat, folder, path, flags, mode);
  if (is_ours && file >= 0 && flags & O_CREAT && !was) note("create", place, "", mode, NULL, 0);
  if (is_ours && file >= 0 && flags & O_TRUNC && was) note("truncate", place, "", 0, NULL, 0);
  return file;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { MODE return open_file("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_file("open", AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return open_file("open", folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return open_file("open", folder, path, flags, mode); }

static ssize_t write_file(int file, const void *bytes, size_t count, off_t offset, int is_positioned) {
  AT(file, "");
  if (is_ours) {
    int what = fate("write", WRITES, place);
    if (what == 1) return -1;
    if (what == 2 && count > 1) count /= 2;
    if (!is_positioned) offset = lseek(file, 0, SEEK_CUR);
  }
  ssize_t written = is_positioned ? syscall(SYS_pwrite64, file, bytes, count, offset) : syscall(SYS_write, file, bytes, count);
  if (is_ours && written > 0) note("write", place, "", offset, bytes, written);
  return written;
}
ssize_t write(int file, const void *bytes, size_t count) { return write_file(file, bytes, count, 0, 0); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return write_file(file, bytes, count, offset, 1); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) { return write_file(file, bytes, count, offset, 1); }

ssize_t read(int file, void *bytes, size_t count) { AT(file, ""); FAIL("read", READS); return syscall(SYS_read, file, bytes, count); }
ssize_t pread(int file, void *bytes, size_t count, off_t offset) { AT(file, ""); FAIL("read", READS); return syscall(SYS_pread64, file, bytes, count, offset); }
ssize_t pread64(int file, void *bytes, size_t count, off_t offset) { AT(file, ""); FAIL("read", READS); return syscall(SYS_pread64, file, bytes, count, offset); }

static void *map_file(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  if (file >= 0) {
    AT(file, "");
    if (is_ours && fate("mmap", READS, place) == 1) return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}
void *mmap(void *a, size_t l, int p, int f, int file, off_t o) { return map_file(a, l, p, f, file, o); }
void *mmap64(void *a, size_t l, int p, int f, int file, off_t o) { return map_file(a, l, p, f, file, o); }

static int sync_file(const char *call, int file) {
  AT(file, "");
  FAIL(call, CHANGES);
  int result = syscall(SYS_fsync, file);
  struct stat status;
  if (is_ours && !result && !syscall(SYS_newfstatat, file, "", &status, AT_EMPTY_PATH))
    note("fsync", place, "", status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec, NULL, 0);
  return result;
}
int fsync(int file) { return sync_file("fsync", file); }
int fdatasync(int file) { return sync_file("fsync", file); }

static int truncate_file(int file, off_t size) {
  AT(file, "");
  FAIL("ftruncate", FREES);
  int result = syscall(SYS_ftruncate, file, size);
  if (is_ours && !result) note("truncate", place, "", size, NULL, 0);
  return result;
}
int ftruncate(int file, off_t size) { return truncate_file(file, size); }
int ftruncate64(int file, off_t size) { return truncate_file(file, size); }

int fchmod(int file, mode_t mode) {
  AT(file, "");
  FAIL("chmod", FREES);
  int result = syscall(SYS_fchmod, file, mode);
  if (is_ours && !result) note("chmod", place, "", mode, NULL, 0);
  return result;
}
int chmod(const char *path, mode_t mode) {
  AT(AT_FDCWD, path);
  FAIL("chmod", FREES);
  int result = syscall(SYS_fchmodat, AT_FDCWD, path, mode);
  if (is_ours && !result) note("chmod", place, "", mode, NULL, 0);
  return result;
}

int mkdirat(int folder, const char *path, mode_t mode) {
  AT(folder, path);
  FAIL("mkdir", CHANGES);
  int result = syscall(SYS_mkdirat, folder, path, mode);
  if (is_ours && !result) note("mkdir", place, "", mode, NULL, 0);
  return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int unlinkat(int folder, const char *path, int flags) {
  AT(folder, path);
  const char *call = flags & AT_REMOVEDIR ? "rmdir" : "unlink";
  FAIL(call, FREES);
  int result = syscall(SYS_unlinkat, folder, path, flags);
  if (is_ours && !result) note(call, place, "", 0, NULL, 0);
  return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  int result = unlinkat(AT_FDCWD, path, 0);
  return result && (errno == EISDIR || errno == EPERM) ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

static int two_names(const char *call, long number, const char *from, const char *to) {
  AT(AT_FDCWD, from);
  char other[PATH_MAX];
  resolve(AT_FDCWD, to, other);
  FAIL(call, CHANGES);
  int result = syscall(number, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (is_ours && !result) note(call, place, other, 0, NULL, 0);
  return result;
}
int rename(const char *from, const char *to) { return two_names("rename", SYS_renameat2, from, to); }
int link(const char *from, const char *to) { return two_names("link", SYS_linkat, from, to); }

#define STATUS(name, type, folder, path, flags) { AT(folder, path); FAIL("stat", READS); return syscall(SYS_newfstatat, folder, path, status, flags); }
int stat(const char *restrict path, struct stat *restrict status) STATUS(stat, struct stat, AT_FDCWD, path, 0)
int stat64(const char *restrict path, struct stat64 *restrict status) STATUS(stat64, struct stat64, AT_FDCWD, path, 0)
int lstat(const char *restrict path, struct stat *restrict status) STATUS(lstat, struct stat, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
int lstat64(const char *restrict path, struct stat64 *restrict status) STATUS(lstat64, struct stat64, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
int fstatat(int folder, const char *restrict path, struct stat *restrict status, int flags) STATUS(fstatat, struct stat, folder, path, flags)
int fstatat64(int folder, const char *restrict path, struct stat64 *restrict status, int flags) STATUS(fstatat64, struct stat64, folder, path, flags)
int fstat(int file, struct stat *status) STATUS(fstat, struct stat, file, "", AT_EMPTY_PATH)
int fstat64(int file, struct stat64 *status) STATUS(fstat64, struct stat64, file, "", AT_EMPTY_PATH)
int access(const char *path, int mode) { AT(AT_FDCWD, path); FAIL("access", READS); return syscall(SYS_faccessat, AT_FDCWD, path, mode); }
int flock(int file, int operation) { AT(file, ""); FAIL("flock", READS); return syscall(SYS_flock, file, operation); }
DIR *opendir(const char *path) { AT(AT_FDCWD, path); if (is_ours && fate("opendir", READS, place) == 1) return NULL; return REAL(opendir)(path); }
DIR *fdopendir(int file) { AT(file, ""); if (is_ours && fate("opendir", READS, place) == 1) return NULL; return REAL(fdopendir)(file); }
struct dirent *readdir(DIR *stream) { AT(dirfd(stream), ""); if (is_ours && fate("readdir", READS, place) == 1) return NULL; return REAL(readdir)(stream); }
struct dirent64 *readdir64(DIR *stream) { AT(dirfd(stream), ""); if (is_ours && fate("readdir", READS, place) == 1) return NULL; return REAL(readdir64)(stream); }
