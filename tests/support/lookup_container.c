// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/support/lookup_container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folders(char* path) {
  for (char* slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int made = mkdir(path, 0755);
    *slash = '/';
    if (made && errno != EEXIST) return -1;
  }
  return 0;
}

// To the same path below `root`, in a file of its own.
static int copy_below(const char* root, const char* from, const char* to) {
  char path[PATH_MAX], chunk[65536];
  ssize_t bytes = 0;

  snprintf(path, sizeof(path), "%s%s", root, to);
  if (make_folders(path)) return -1;
  int in = open(from, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  if (out < 0 && errno == EEXIST) {  // several mappings of one file
    close(in);
    return 0;
  }
  while (in >= 0 && out >= 0 && (bytes = read(in, chunk, sizeof(chunk))) > 0)
    if (write(out, chunk, (size_t)bytes) != bytes) bytes = -1;
  close(in);
  close(out);
  return in < 0 || out < 0 || bytes < 0 ? -1 : 0;
}

// The program, its loader and its libraries; the loader also where programs look for it.
static int copy_mapped(const char* root) {
  FILE* maps = fopen("/proc/self/maps", "re");
  char line[PATH_MAX + 128];
  int failed = !maps;

  while (maps && !failed && fgets(line, sizeof(line), maps)) {
    char* path = strchr(line, '/');
    if (!path) continue;
    path[strcspn(path, "\n")] = '\0';
    failed = copy_below(root, path, path);
    if (!failed && strstr(path, "/ld-linux-x86-64")) failed = copy_below(root, path, "/lib64/ld-linux-x86-64.so.2");
  }
  if (maps) fclose(maps);
  return failed ? -1 : 0;
}

static int copy_etc(const char* root, const char* etc) {
  DIR* folder = opendir(etc);
  int failed = !folder;

  for (struct dirent* entry; folder && !failed && (entry = readdir(folder));) {
    char from[PATH_MAX], to[PATH_MAX];
    if (entry->d_name[0] == '.') continue;
    snprintf(from, sizeof(from), "%s/%s", etc, entry->d_name);
    snprintf(to, sizeof(to), "/etc/%s", entry->d_name);
    failed = copy_below(root, from, to);
  }
  if (folder) closedir(folder);
  return failed ? -1 : 0;
}

int enter_container(const char* directory, const char* etc) {
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -1;
  if (mount("tmpfs", directory, "tmpfs", 0, "mode=755")) return -1;
  if (copy_mapped(directory) || copy_etc(directory, etc)) return -1;
  return chroot(directory) || chdir("/") ? -1 : 0;
}
