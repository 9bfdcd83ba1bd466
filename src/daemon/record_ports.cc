#include "daemon/record_ports.h"

#include <fmt/format.h>

#include "daemon/record_files.h"
#include "recorder/redact.h"

namespace blixard::daemon {
namespace {

constexpr std::size_t kBodyBytesMost = 4096;  // of a request, in its note

}  // namespace

std::string request_note(const api::Request& request) {
    std::string text = fmt::format("{} {}", request.method, request.path);
    char before = '?';
    for (const auto& [name, value] : request.query) {
        text += fmt::format(
            "{}{}={}", before, name,
            recorder::is_secret_name(name) ? recorder::kRemoved : std::string_view(value));
        before = '&';
    }
    text += " by " + request.principal.name;
    if (request.body.empty()) return text;
    std::string body = recorder::without_secrets(request.body);
    if (body.size() > kBodyBytesMost)
        body = fmt::format("{} ... ({} bytes)", body.substr(0, kBodyBytesMost), body.size());
    return text + ": " + body;
}

void NotedService::note(const api::Request& request) {
    if (request.method == "GET") return;
    loop_.post([this, text = request_note(request)] { recorder_.note_request(text); });
}

void NotedService::handle(api::Request request, std::shared_ptr<api::Responder> responder) {
    note(request);
    service_.handle(std::move(request), std::move(responder));
}

std::shared_ptr<api::BodyReader> NotedService::open_upload(
    const api::Request& head, std::shared_ptr<api::Responder> responder) {
    std::shared_ptr<api::BodyReader> reader = service_.open_upload(head, std::move(responder));
    if (reader) note(head);
    return reader;
}

void RecordExport::record(Callback<std::string> done) {
    workers_.run<std::string>(
        executor_, [directory = directory_] { return export_record(directory); }, std::move(done));
}

}  // namespace blixard::daemon
