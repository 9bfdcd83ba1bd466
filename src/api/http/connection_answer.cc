// Answers out: from a Response to bytes.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "api/http/connection.h"
#include "api/http/exchange_responder.h"

namespace blixard::api::http {
namespace {

constexpr std::size_t kFilePieceBytes = 256 * 1024;

ErrorCode code_of(int status) {
    switch (status) {
        case 403: return ErrorCode::kDenied;
        case 408: return ErrorCode::kTimeout;
        case 413:
        case 431: return ErrorCode::kTooLarge;
        case 501:
        case 505: return ErrorCode::kUnsupported;
        default: return ErrorCode::kInvalid;
    }
}

bool has_no_body(int status) { return status == 204 || status == 304; }

// A header value with a line break in it would be another header.
void append_value(std::string& out, std::string_view value) {
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
}

bool has_header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return true;
    return false;
}

// -1 with errno, or how much was read: less than asked at the end of the file.
ssize_t read_fully(int file, char* into, std::size_t size, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t count =
            ::pread(file, into + done, size - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(done);
}

}  // namespace

void Connection::refuse(const Refusal& refusal) {
    if (const auto exchange = exchange_.lock()) exchange->disown();
    if (auto upload = std::exchange(upload_, nullptr)) upload->on_abort();
    if (state_ == State::kHead && deadline_us_ != 0) {  // no request has been understood
        log_method_.clear();
        log_path_.clear();
        is_head_request_ = false;
        encoding_ = Encoding::kIdentity;
        request_id_ = host_.next_request_id();
        begun_us_ = host_.now_us();
    }
    close_after_ = true;
    respond(
        problem(Error{code_of(refusal.status), refusal.message, {}, refusal.help}, refusal.status));
}

void Connection::respond(Response response) {
    if (state_ == State::kClosed) return;
    if (body_unread_) close_after_ = true;
    upload_ = nullptr;
    upload_waits_ = false;
    deadline_us_ = 0;
    state_ = State::kWriting;
    response_ = std::move(response);
    if (response_.file) open_file();
    if (is_compressible())
        compress_then_write();
    else
        write_response();
}

void Connection::open_file() {
    file_ = ::open(response_.file->path.c_str(), O_RDONLY | O_CLOEXEC);
    file_sent_ = 0;
    if (file_ >= 0) return;
    const std::string_view route = response_.route;
    response_ =
        problem(Error{ErrorCode::kInternal,
                      fmt::format("{} cannot be read: {}", response_.file->path, strerror(errno)),
                      {},
                      {}});
    response_.route = route;
}

std::string_view Connection::body_bytes() const {
    return response_.shared_body ? std::string_view(*response_.shared_body)
                                 : std::string_view(response_.body);
}

bool Connection::is_compressible() const {
    if (encoding_ == Encoding::kIdentity || response_.file || has_no_body(response_.status))
        return false;
    if (body_bytes().size() < kCompressBytesMin || has_header(response_, "Content-Encoding"))
        return false;
    const std::string_view type = response_.content_type;
    return type.starts_with("text/") || type.find("json") != type.npos ||
           type.find("javascript") != type.npos || type.find("xml") != type.npos ||
           type.find("yaml") != type.npos;
}

void Connection::compress_then_write() {
    if (response_.shared_body)
        if (auto known = host_.compressed_bodies().find(response_.shared_body, encoding_))
            return send_compressed(std::move(known));
    if (body_bytes().size() < kCompressBytesInline)
        return send_compressed(
            std::make_shared<const std::string>(compress(encoding_, body_bytes())));

    auto plain = response_.shared_body
                     ? response_.shared_body
                     : std::make_shared<const std::string>(std::move(response_.body));
    const bool is_shared = response_.shared_body != nullptr;
    const auto small = std::make_shared<std::string>();
    host_.offload([plain, small, encoding = encoding_] { *small = compress(encoding, *plain); },
                  [self = shared_from_this(), plain, small, is_shared] {
                      if (is_shared)
                          self->host_.compressed_bodies().keep(plain, self->encoding_, small);
                      if (self->state_ == State::kWriting) self->send_compressed(small);
                  });
}

void Connection::send_compressed(std::shared_ptr<const std::string> compressed) {
    response_.shared_body = std::move(compressed);
    response_.headers.emplace_back("Content-Encoding", encoding_name(encoding_));
    response_.headers.emplace_back("Vary", "Accept-Encoding");
    write_response();
}

void Connection::write_response() {
    const std::string_view body = body_bytes();
    if (has_no_body(response_.status))
        write_head(std::nullopt);
    else
        write_head(response_.file ? response_.file->length : body.size());
    set_deadline(host_.limits().write_progress);
    const bool alone = is_head_request_ || response_.file || has_no_body(response_.status);
    transport_->write({head_bytes_, alone ? std::string_view() : body}, self());
}

void Connection::write_head(std::optional<std::uint64_t> content_length) {
    std::string& out = head_bytes_;
    out.clear();
    out += "HTTP/1.1 ";
    out += std::to_string(response_.status);
    out += ' ';
    out += reason_phrase(response_.status);
    out += "\r\nServer: blixard\r\nDate: ";
    out += host_.date();
    if (!has_no_body(response_.status)) {
        out += "\r\nContent-Type: ";
        append_value(out, response_.content_type);
        out += "\r\nX-Content-Type-Options: nosniff";
    }
    out += "\r\nX-Request-Id: ";
    out += request_id_;
    for (const auto& [name, value] : response_.headers) {
        out += "\r\n";
        append_value(out, name);
        out += ": ";
        append_value(out, value);
    }
    if (content_length) {
        out += "\r\nContent-Length: ";
        out += std::to_string(*content_length);
    }
    if (close_after_)
        out += "\r\nConnection: close";
    else if (http_1_0_)
        out += "\r\nConnection: keep-alive";
    out += "\r\n\r\n";
}

void Connection::write_file_piece() {
    const std::uint64_t left = response_.file->length - file_sent_;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, kFilePieceBytes));
    const auto count = std::make_shared<ssize_t>(0);
    file_piece_.resize(size);
    deadline_us_ = 0;
    host_.offload(
        [self = shared_from_this(), size, count] {
            *count = read_fully(self->file_, self->file_piece_.data(), size,
                                self->response_.file->offset + self->file_sent_);
        },
        [self = shared_from_this(), size, count] {
            if (self->state_ != State::kWriting) return;
            // The length has been promised; only the end of the connection can say that it does not
            // hold.
            if (*count != static_cast<ssize_t>(size)) return self->close();
            self->file_sent_ += size;
            self->set_deadline(self->host_.limits().write_progress);
            self->transport_->write({self->file_piece_, {}}, self);
        });
}

void Connection::on_write_progress() {
    if (state_ == State::kWriting || state_ == State::kStream)
        set_deadline(host_.limits().write_progress);
}

void Connection::on_written(bool ok) {
    if (state_ == State::kClosed) return;
    if (!ok) return close();
    if (state_ == State::kContinue) {
        state_ = State::kBody;
        set_deadline(host_.limits().body_progress);
        return advance();
    }
    if (state_ == State::kStream) {
        stream_writing_ = false;
        deadline_us_ = 0;
        return stream_flush();
    }
    if (state_ != State::kWriting) return;
    if (response_.file && !is_head_request_ && file_sent_ < response_.file->length)
        return write_file_piece();
    finished();
}

void Connection::observe(std::uint64_t body_bytes) {
    Exchanged exchanged;
    exchanged.method = log_method_;
    exchanged.path = log_path_;
    exchanged.route = response_.route;
    exchanged.principal = log_principal_;
    exchanged.request_id = request_id_;
    exchanged.status = response_.status;
    exchanged.body_bytes = body_bytes;
    exchanged.micros = host_.now_us() - begun_us_;
    host_.observer().exchanged(exchanged);
}

void Connection::finished() {
    observe(is_head_request_ ? 0 : response_.file ? response_.file->length : body_bytes().size());
    response_ = Response{};
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    file_piece_ = {};
    head_begun_ = false;
    if (close_after_) return begin_linger();
    state_ = State::kHead;
    set_deadline(host_.limits().idle);
    advance();
}

// Closing with unread bytes resets the connection, and the answer with it (RFC 9112 section 9.6).
void Connection::begin_linger() {
    state_ = State::kLinger;
    if (peer_ended_) return close();
    set_deadline(host_.limits().linger);
    transport_->shutdown_send();
    input_.consume(input_.bytes().size());
    read_more(kFilePieceBytes);
}

}  // namespace blixard::api::http
