/* Load for benchmarks: bidders and watchers on WebSockets, in one thread with epoll.
 *
 *   load bid HOST PORT FILE SECONDS PACE_US
 *       Opens the connections of FILE, says their entries, then sends their messages. PACE_US 0: every
 *       connection sends its next message when the last is answered; else one message every PACE_US, the
 *       connections in turn. Prints one line per answer: sent ns, answered ns, kind (1 accepted, 0 refused,
 *       2 neither). FILE: u32 connections; each: u32 length and handshake, u32 length and entry, u32 messages,
 *       each u32 length and frame.
 *   load watch HOST PORT COUNT PATH MUTED
 *       Opens COUNT watchers and prints "ready". For each line "SECONDS MUTE" on standard input collects
 *       deltas, MUTED of the watchers not reading where MUTE is 1; prints "seq first_ns last_ns received
 *       bytes" for each delta and then "end".
 *   load blast PORT COUNT BYTES MESSAGES PACE_US
 *       A server as plain as can be: waits for COUNT watchers, prints "ready", and after a line on standard
 *       input sends each message of BYTES bytes to all. Prints "seq sent_ns".
 *
 * Instants are CLOCK_MONOTONIC, one for all processes of a machine. Only what our own servers send is parsed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;
    int open;        /* the handshake is over */
    int entered;     /* what it says on entering was answered */
    uint8_t *buffer; /* bytes received and not looked at yet */
    size_t used, room;
    uint8_t *entry;
    uint32_t entry_size;
    uint8_t **messages;
    uint32_t *sizes;
    uint32_t count, next;
    uint64_t sent; /* of the message that waits for its answer, 0 if none does */
} Line;

typedef struct {
    uint64_t first, last;
    uint32_t received, bytes;
} Delta;

enum { DELTAS = 1 << 16, CHUNK = 1 << 18, OPENING = 256 };

static int epoll;
static Line *lines;
static uint32_t line_count;
static uint32_t ready;
static Delta deltas[DELTAS];
static uint64_t until;
static uint32_t answers;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(4);
}

static void all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && (errno == EAGAIN || errno == EINTR))
            continue; /* a bidder's message is far smaller than a socket's buffer */
        if (done < 0)
            fail("write");
        data += done;
        size -= (size_t)done;
    }
}

static void *take(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        fail("memory");
    return memory;
}

static void attach(Line *line, const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1;
    inet_pton(AF_INET, host, &address.sin_addr);
    line->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (line->fd < 0 || connect(line->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(line->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, line->fd, &event))
        fail("epoll");
}

static const uint8_t *found(const uint8_t *text, size_t size, const char *word)
{
    return memmem(text, size < 512 ? size : 512, word, strlen(word));
}

/* Message n of line l has the amount n * lines + l. A bidder looks at the hall first: what others have passed already
 * it leaves out. Without this a few lines that are overtaken once (a stop of either process is enough, since epoll
 * gives sockets that it has just given before those that wake later) stay a round behind and are refused for good. */
static void say(Line *line)
{
    static uint64_t least;
    uint64_t place = (uint64_t)(line - lines);
    while (line->next < line->count && (uint64_t)line->next * line_count + place < least)
        line->next++;
    if (line->next == line->count)
        return;
    least = (uint64_t)line->next * line_count + place;
    line->sent = now();
    all(line->fd, line->messages[line->next], line->sizes[line->next]);
    line->next++;
}

/* A bidder's message from the centre. */
static void answered(Line *line, const uint8_t *text, size_t size, int closed_loop)
{
    if (found(text, size, "\"type\":\"entered\"") || (!line->entry_size && found(text, size, "\"type\":\"hello\""))) {
        line->entered = 1;
        ready++;
        return;
    }
    if (found(text, size, "\"type\":\"hello\""))
        return;
    if (!line->entered) {
        fprintf(stderr, "not entered: %.*s\n", (int)size, text);
        exit(4);
    }
    int kind = found(text, size, "\"ok\":true") ? 1 : found(text, size, "\"ok\":false") ? 0 : 2;
    if (line->sent) {
        printf("%llu %llu %d\n", (unsigned long long)line->sent, (unsigned long long)now(), kind);
        answers++;
        line->sent = 0;
    }
    if (closed_loop && now() < until)
        say(line);
}

/* A watcher's message from the centre. */
static void watched(const uint8_t *text, size_t size)
{
    if (!found(text, size, "\"type\":\"delta\""))
        return;
    const uint8_t *place = found(text, size, "\"seq\":");
    if (!place)
        return;
    Delta *delta = &deltas[strtoul((const char *)place + 6, NULL, 10) % DELTAS];
    uint64_t at = now();
    if (!delta->received++)
        delta->first = at;
    delta->last = at;
    delta->bytes = (uint32_t)size;
}

/* Takes whole frames from the front of a line's buffer; returns 0 where the server closed it. */
static int frames(Line *line, int bidder, int closed_loop)
{
    size_t place = 0;
    while (line->used - place >= 2) {
        uint8_t *head = line->buffer + place;
        size_t skip = 2, size = head[1] & 127u;
        if (size == 126) {
            if (line->used - place < 4)
                break;
            size = (size_t)head[2] << 8 | head[3];
            skip = 4;
        } else if (size == 127) {
            if (line->used - place < 10)
                break;
            size = 0;
            for (int byte = 2; byte < 10; byte++)
                size = size << 8 | head[byte];
            skip = 10;
        }
        if (line->used - place < skip + size)
            break;
        int opcode = head[0] & 15;
        if (opcode == 8)
            return 0;
        if (opcode == 9 && size < 126) { /* the mask is zero: the bytes stand as they are */
            uint8_t pong[6 + 126] = {0x8a, (uint8_t)(0x80 | size)};
            memcpy(pong + 6, head + skip, size);
            all(line->fd, pong, 6 + size);
        }
        if (opcode == 1 && bidder)
            answered(line, head + skip, size, closed_loop);
        else if (opcode == 1) {
            if (!line->entered)
                line->entered = 1, ready++;
            watched(head + skip, size);
        }
        place += skip + size;
    }
    memmove(line->buffer, line->buffer + place, line->used - place);
    line->used -= place;
    return 1;
}

/* A watcher that did not read may be cut off; a bidder never. */
static void gone(Line *line, int bidder)
{
    if (bidder || !line->open) {
        fprintf(stderr, "the server closed a connection\n");
        exit(4);
    }
    close(line->fd);
    line->fd = -1;
}

static void readable(Line *line, int bidder, int closed_loop)
{
    static uint8_t shared[CHUNK];
    ssize_t got = read(line->fd, shared, sizeof shared);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        gone(line, bidder);
        return;
    }
    if (line->used + (size_t)got > line->room) {
        line->room = line->used + (size_t)got;
        line->buffer = realloc(line->buffer, line->room);
        if (!line->buffer)
            fail("memory");
    }
    memcpy(line->buffer + line->used, shared, (size_t)got);
    line->used += (size_t)got;
    if (!line->open) {
        uint8_t *end = memmem(line->buffer, line->used, "\r\n\r\n", 4);
        if (!end)
            return;
        if (memcmp(line->buffer, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "refused: %.*s\n", (int)line->used, line->buffer);
            exit(4);
        }
        line->open = 1;
        size_t skip = (size_t)(end + 4 - line->buffer);
        memmove(line->buffer, line->buffer + skip, line->used - skip);
        line->used -= skip;
        if (line->entry_size)
            all(line->fd, line->entry, line->entry_size);
    }
    if (!frames(line, bidder, closed_loop)) {
        gone(line, bidder);
        return;
    }
    if (!line->used && !bidder) { /* ten thousand buffers are not kept */
        free(line->buffer);
        line->buffer = NULL;
        line->room = 0;
    }
}

static void turn(int wait_ms, int bidder, int closed_loop)
{
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, wait_ms);
    for (int number = 0; number < count; number++)
        readable(events[number].data.ptr, bidder, closed_loop);
}

static uint32_t word(FILE *file)
{
    uint32_t value;
    if (fread(&value, 4, 1, file) != 1)
        fail("the file of messages");
    return value;
}

static uint8_t *bytes(FILE *file, uint32_t size)
{
    uint8_t *data = take(size);
    if (size && fread(data, size, 1, file) != 1)
        fail("the file of messages");
    return data;
}

static int bid(char **given)
{
    const char *host = given[0];
    int port = atoi(given[1]);
    FILE *file = fopen(given[2], "rb");
    if (!file)
        fail(given[2]);
    double seconds = atof(given[3]);
    uint64_t pace = strtoull(given[4], NULL, 10) * 1000;
    line_count = word(file);
    lines = take(line_count * sizeof(Line));
    for (uint32_t number = 0; number < line_count; number++) {
        Line *line = &lines[number];
        uint32_t size = word(file);
        uint8_t *handshake = bytes(file, size);
        line->entry_size = word(file);
        line->entry = bytes(file, line->entry_size);
        line->count = word(file);
        line->messages = take(line->count * sizeof(uint8_t *));
        line->sizes = take(line->count * sizeof(uint32_t));
        for (uint32_t one = 0; one < line->count; one++) {
            line->sizes[one] = word(file);
            line->messages[one] = bytes(file, line->sizes[one]);
        }
        attach(line, host, port);
        all(line->fd, handshake, size);
        free(handshake);
    }
    while (ready < line_count)
        turn(1000, 1, 0);
    uint64_t start = now(), due = start;
    until = start + (uint64_t)(seconds * 1e9);
    uint32_t place = 0;
    if (!pace)
        for (uint32_t number = 0; number < line_count; number++)
            say(&lines[number]);
    for (;;) {
        uint64_t at = now();
        uint32_t waiting = 0;
        for (uint32_t number = 0; number < line_count; number++)
            waiting += lines[number].sent != 0;
        if ((at >= until && !waiting) || at > until + 20000000000u || (!pace && !waiting))
            break;
        if (pace && at < until && at >= due) {
            Line *line = &lines[place++ % line_count];
            if (!line->sent)
                say(line);
            due += pace;
            continue;
        }
        turn(pace && at < until ? (int)((due - at) / 1000000) : 100, 1, !pace);
    }
    return 0;
}

static void interest(Line *line, int on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = line};
    if (line->fd >= 0)
        epoll_ctl(epoll, EPOLL_CTL_MOD, line->fd, &event);
}

static int watch(char **given)
{
    const char *host = given[0];
    int port = atoi(given[1]);
    line_count = (uint32_t)atoi(given[2]);
    uint32_t muted = (uint32_t)atoi(given[4]);
    char text[512];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: kaibiao.v1\r\n\r\n",
                        given[3], host, port);
    lines = take(line_count * sizeof(Line));
    for (uint32_t number = 0; number < line_count; number++) {
        attach(&lines[number], host, port);
        all(lines[number].fd, (uint8_t *)text, (size_t)size);
        while (number + 1 > ready + OPENING)
            turn(1000, 0, 0);
    }
    while (ready < line_count)
        turn(1000, 0, 0);
    printf("ready\n");
    fflush(stdout);
    double seconds;
    int mute;
    while (scanf("%lf %d", &seconds, &mute) == 2) {
        memset(deltas, 0, sizeof deltas);
        for (uint32_t number = 0; number < muted; number++)
            interest(&lines[(uint64_t)number * line_count / muted], !mute);
        until = now() + (uint64_t)(seconds * 1e9);
        while (now() < until)
            turn(10, 0, 0);
        for (uint32_t seq = 0; seq < DELTAS; seq++)
            if (deltas[seq].received)
                printf("%u %llu %llu %u %u\n", seq, (unsigned long long)deltas[seq].first,
                       (unsigned long long)deltas[seq].last, deltas[seq].received, deltas[seq].bytes);
        printf("end\n");
        fflush(stdout);
    }
    return 0;
}

static int blast(char **given)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(given[0]))};
    int count = atoi(given[1]), yes = 1;
    size_t size = (size_t)atoi(given[2]);
    int messages = atoi(given[3]);
    useconds_t pace = (useconds_t)atoi(given[4]);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int door = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(door, (struct sockaddr *)&address, sizeof address) || listen(door, 4096))
        fail("listen");
    int *sockets = take((size_t)count * sizeof(int));
    const char *welcome = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                          "\x81\x02{}";
    for (int number = 0; number < count; number++) {
        char request[1024];
        sockets[number] = accept(door, NULL, NULL);
        setsockopt(sockets[number], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (sockets[number] < 0)
            fail("accept");
        if (read(sockets[number], request, sizeof request) <= 0) { /* somebody only knocked */
            close(sockets[number--]);
            continue;
        }
        all(sockets[number], (const uint8_t *)welcome, strlen(welcome));
    }
    printf("ready\n");
    fflush(stdout);
    char go[16];
    if (!fgets(go, sizeof go, stdin))
        return 0;
    uint8_t *frame = take(size + 4);
    for (int seq = 1; seq <= messages; seq++) {
        memset(frame + 4, ' ', size);
        frame[0] = 0x81;
        frame[1] = 126;
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
        int used = sprintf((char *)frame + 4, "{\"type\":\"delta\",\"seq\":%d,", seq);
        frame[4 + used] = ' ';
        printf("%d %llu\n", seq, (unsigned long long)now());
        for (int number = 0; number < count; number++)
            all(sockets[number], frame, size + 4);
        fflush(stdout);
        usleep(pace);
    }
    return 0;
}

int main(int count, char **given)
{
    epoll = epoll_create1(0);
    if (count == 7 && !strcmp(given[1], "bid"))
        return bid(given + 2);
    if (count == 7 && !strcmp(given[1], "watch"))
        return watch(given + 2);
    if (count == 7 && !strcmp(given[1], "blast"))
        return blast(given + 2);
    fprintf(stderr, "usage: see the head of the source\n");
    return 2;
}
