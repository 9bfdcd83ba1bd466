// The files that images are made of: uploaded and downloaded as they are.
#include <fmt/format.h>

#include <charconv>

#include "api/access.h"
#include "api/operations.h"
#include "model/json_writer.h"

namespace blixard::api {
namespace {

// Takes the body of an upload to the blob store, or refuses it.
class BlobBody final : public BodyReader {
 public:
    BlobBody(CallPtr call, Result<std::shared_ptr<BlobUpload>> upload)
        : call_(std::move(call)), upload_(std::move(upload)) {}

    void on_chunk(std::string_view bytes, std::function<void(Status)> next) override {
        if (!upload_) return next(fail(upload_.error()));
        (*upload_)->write(bytes, std::move(next));
    }
    void on_complete() override {
        if (!upload_) return call_->refuse(upload_.error());
        const std::shared_ptr<BlobUpload> upload = *upload_;
        upload->finish([call = call_, upload](Result<Blob> blob) {
            if (!blob) return call->refuse(blob.error());
            Response response;
            response.status = 201;
            response.headers.emplace_back("Location", "/v1/blobs/" + blob->sha256);
            model::json::Writer(response.body)
                .begin_object()
                .member("sha256", std::string_view(blob->sha256))
                .member("size_bytes", static_cast<std::int64_t>(blob->size_bytes))
                .end_object();
            call->send(std::move(response));
        });
    }
    void on_abort() override { upload_ = fail(ErrorCode::kCancelled, "the client went away"); }

 private:
    CallPtr call_;
    Result<std::shared_ptr<BlobUpload>> upload_;
};

bool is_sha256(std::string_view text) {
    return text.size() == 64 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status check_sha256(std::string_view text) {
    if (is_sha256(text)) return {};
    return fail_field("sha256", fmt::format("\"{}\" is not a SHA-256", text.substr(0, 80)),
                      "64 hexadecimal digits, lower case");
}

Error no_blobs() {
    return {ErrorCode::kUnsupported,
            "not supported here: uploads",
            {},
            "ask a daemon that keeps files"};
}

Result<std::shared_ptr<BlobUpload>> open(Core& core, const Call& call) {
    RETURN_IF_ERROR(check_access(call.request.principal, Right::kAdmin));
    RETURN_IF_ERROR(check_query_names(call.request));
    if (!core.deps.blobs) return fail(no_blobs());
    const std::string* expected = call.request.find_query("sha256");
    if (expected) RETURN_IF_ERROR(check_sha256(*expected));
    return core.deps.blobs->open_upload(call.request.content_length, expected ? *expected : "");
}

struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

enum class RangeKind { kWhole, kPart, kOutside };

// RFC 9110, 14.2: one range of bytes; anything else may be ignored, and is.
RangeKind parse_range(std::string_view text, std::uint64_t size, ByteRange& range) {
    range = {0, size};
    if (!text.starts_with("bytes=")) return RangeKind::kWhole;
    text.remove_prefix(6);
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return RangeKind::kWhole;
    const auto first = number(text.substr(0, dash));
    const auto last = number(text.substr(dash + 1));
    if (dash == 0) {
        if (!last) return RangeKind::kWhole;
        const std::uint64_t length = std::min(*last, size);
        range = {size - length, length};
        return length == 0 ? RangeKind::kOutside : RangeKind::kPart;
    }
    if (!first || (!last && dash + 1 != text.size()) || (last && *last < *first))
        return RangeKind::kWhole;
    if (*first >= size) return RangeKind::kOutside;
    const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
    range = {*first, end - *first + 1};
    return RangeKind::kPart;
}

void send_blob(Call& call, const Blob& blob) {
    Response response;
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("ETag", fmt::format("\"{}\"", blob.sha256));
    response.headers.emplace_back("Accept-Ranges", "bytes");
    ByteRange range;
    switch (parse_range(call.request.range, blob.size_bytes, range)) {
        case RangeKind::kWhole: break;
        case RangeKind::kPart:
            response.status = 206;
            response.headers.emplace_back(
                "Content-Range", fmt::format("bytes {}-{}/{}", range.offset,
                                             range.offset + range.length - 1, blob.size_bytes));
            break;
        case RangeKind::kOutside:
            response = problem({ErrorCode::kInvalid,
                                fmt::format("the file has {} bytes", blob.size_bytes),
                                "Range",
                                {}},
                               416);
            response.headers.emplace_back("Content-Range",
                                          fmt::format("bytes */{}", blob.size_bytes));
            return call.send(std::move(response));
    }
    response.file = Response::File{blob.path, range.offset, range.length};
    call.send(std::move(response));
}

}  // namespace

std::shared_ptr<BodyReader> open_blob_upload(Core& core, const CallPtr& call) {
    call->route = "/v1/blobs";
    return std::make_shared<BlobBody>(call, open(core, *call));
}

// For transports that have the whole body at once.
void upload_without_stream(Core& core, const CallPtr& call) {
    auto body = std::make_shared<BlobBody>(call, open(core, *call));
    body->on_chunk(call->request.body, [call, body](Status taken) {
        if (!taken) return call->refuse(taken.error());
        body->on_complete();
    });
}

void get_blob(Core& core, const CallPtr& call) {
    if (!core.deps.blobs) return call->refuse(no_blobs());
    if (const Status valid = check_sha256(call->name); !valid) return call->refuse(valid.error());
    core.deps.blobs->find(call->name, [call](Result<Blob> blob) {
        if (!blob) return call->refuse(blob.error());
        send_blob(*call, *blob);
    });
}

}  // namespace blixard::api
