// Any bytes: no parser crashes, and what is taken can be written and is then read back the same.
#include <cstdint>
#include <cstdlib>

#include "model/documents.h"
#include "model/requests.h"
#include "model/types.h"
#include "model/validate.h"

namespace blixard::model {
namespace {

template <class T>
void check(Result<T> (*parse)(std::string_view, Mode), std::string_view text) {
    for (const Mode mode : {Mode::kStrict, Mode::kLenient}) {
        const auto parsed = parse(text, mode);
        if (!parsed) continue;
        const auto again = parse(to_json(*parsed), mode);
        if (!again || !(*again == *parsed)) std::abort();
    }
}

// What the quick reader takes is a document, and the same one.
template <class T>
void check_quick(std::string_view text) {
    T quick, thorough, again;
    if (!json::parse_written(json::type_of<T>(), text, &quick)) return;
    if (!json::parse_object(json::type_of<T>(), text, Mode::kStrict, &thorough)) std::abort();
    if (!json::parse_object(json::type_of<T>(), to_json(quick), Mode::kStrict, &again))
        std::abort();
    if (!(again == thorough)) std::abort();
}

void check_requests(std::string_view text) {
    if (const auto request = parse_vm_create(text)) {
        (void)validate(*request);
        (void)validate_change(request->spec, VmSpec{});
    }
    if (const auto request = parse_image_create(text)) (void)validate(*request);
    if (const auto request = parse_volume_create(text)) (void)validate(*request);
    if (const auto request = parse_project_create(text)) (void)validate(*request);
    if (const auto request = parse_node_change(text)) (void)validate(*request);
}

}  // namespace
}  // namespace blixard::model

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace blixard::model;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(parse_vm_record, text);
    check(parse_vm_spec, text);
    check(parse_placement, text);
    check(parse_vm_status, text);
    check(parse_node_status, text);
    check(parse_image, text);
    check(parse_project, text);
    check_quick<VmRecord>(text);
    check_quick<Placement>(text);
    check_quick<VmStatus>(text);
    check_quick<NodeStatus>(text);
    check_quick<Image>(text);
    check_requests(text);
    return 0;
}
