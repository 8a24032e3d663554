// SPDX-License-Identifier: MIT
// Closes every descriptor but the standard ones, and then becomes a program, as daemons do:
//
//   let_go PROGRAM ARGUMENT...

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

int main(int count, char** words) {
    if (count < 2) {
        std::fputs("usage: let_go PROGRAM ARGUMENT...\n", stderr);
        return 2;
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const int end = limit.rlim_cur < 65'536 ? static_cast<int>(limit.rlim_cur) : 65'536;
    for (int fd = 3; fd < end; ++fd) ::close(fd);
    ::execvp(words[1], words + 1);
    std::perror("let_go");
    return 127;
}
