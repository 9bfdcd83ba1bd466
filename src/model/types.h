// Every document type has its table here. Private to this room.
#pragma once

#include "model/node.h"
#include "model/parse_written.h"
#include "model/plan_requests.h"
#include "model/records.h"
#include "model/requests.h"
#include "model/type.h"
#include "model/vm.h"

namespace blixard::model::json {

// vm_types.cc
template <>
const Type& type_of<Disk>();
template <>
const Type& type_of<PortForward>();
template <>
const Type& type_of<Nic>();
template <>
const Type& type_of<CloudInit>();
template <>
const Type& type_of<HealthCheck>();
template <>
const Type& type_of<AffinityRule>();
template <>
const Type& type_of<DeviceRequest>();
template <>
const Type& type_of<Constraints>();
template <>
const Type& type_of<VmSpec>();
template <>
const Type& type_of<VmRecord>();
template <>
const Type& type_of<Placement>();
template <>
const Type& type_of<Address>();
template <>
const Type& type_of<VmStatus>();

// node_types.cc
template <>
const Type& type_of<NodeSpec>();
template <>
const Type& type_of<NumaNode>();
template <>
const Type& type_of<Device>();
template <>
const Type& type_of<NodeStatus>();
template <>
const Type& type_of<NodeLease>();

// record_types.cc
template <>
const Type& type_of<ImageFile>();
template <>
const Type& type_of<Image>();
template <>
const Type& type_of<VolumeRecord>();
template <>
const Type& type_of<VolumeStatus>();
template <>
const Type& type_of<Quota>();
template <>
const Type& type_of<Project>();
template <>
const Type& type_of<Operation>();
template <>
const Type& type_of<Failover>();

// request_types.cc
template <>
const Type& type_of<VmCreate>();
template <>
const Type& type_of<VmChange>();
template <>
const Type& type_of<NodeSettings>();
template <>
const Type& type_of<NodeChange>();
template <>
const Type& type_of<ImageFileRef>();
template <>
const Type& type_of<ImageCreate>();
template <>
const Type& type_of<VolumeCreate>();
template <>
const Type& type_of<VolumeChange>();
template <>
const Type& type_of<ProjectCreate>();
template <>
const Type& type_of<ProjectChange>();
// plan_request_types.cc
template <>
const Type& type_of<PlanDrain>();
template <>
const Type& type_of<PlanLose>();
template <>
const Type& type_of<PlanAdd>();
template <>
const Type& type_of<PlanLaunch>();
template <>
const Type& type_of<PlanUpgrade>();
template <>
const Type& type_of<PlanSurvive>();
template <>
const Type& type_of<RebalanceRequest>();

}  // namespace blixard::model::json

namespace blixard::model {

// "most-available", ...: the names of the placement strategies.
inline constexpr auto kStrategies =
    json::names("most-available", "least-available", "round-robin", "manual", "priority",
                "locality", "spread", "cost", "fragmentation");

template <class T>
Result<T> parse_as(std::string_view text, Mode mode, std::string_view present = {}) {
    Result<T> value{tl::in_place};  // filled where it will be returned: documents are large
    if (json::parse_written(json::type_of<T>(), text, &*value)) return value;
    *value = T{};
    json::Unknown kept;
    if (T before; !present.empty() &&
                  json::parse_object(json::type_of<T>(), present, Mode::kLenient, &before))
        json::collect_unknown(json::type_of<T>(), &before, kept);
    if (auto parsed = json::parse_object(json::type_of<T>(), text, mode, &*value, &kept); !parsed)
        value = fail(std::move(parsed.error()));
    return value;
}

template <class T>
void write_as(const T& value, std::string& out) {
    json::write_object(json::type_of<T>(), &value, out);
}

}  // namespace blixard::model
