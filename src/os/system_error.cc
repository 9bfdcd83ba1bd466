#include "os/system_error.h"

#include <cerrno>
#include <system_error>

namespace blixard::os {
namespace {

ErrorCode code_of(int number) {
    switch (number) {
        case ENOENT:
        case ESRCH: return ErrorCode::kNotFound;
        case EEXIST: return ErrorCode::kExists;
        case EACCES:
        case EPERM:
        case EROFS: return ErrorCode::kDenied;
        case ENOSPC:
        case EDQUOT:
        case ENOMEM:
        case EMFILE:
        case ENFILE: return ErrorCode::kExhausted;
        case ECONNREFUSED:
        case EAGAIN:
        case EBUSY: return ErrorCode::kUnavailable;
        case ETIMEDOUT: return ErrorCode::kTimeout;
        case ENOSYS:
        case EOPNOTSUPP: return ErrorCode::kUnsupported;
        case ELOOP:
        case EINVAL:
        case ENAMETOOLONG: return ErrorCode::kInvalid;
        default: return ErrorCode::kInternal;
    }
}

std::string help_for(int number) {
    switch (number) {
        case ENOSPC: return "make room on that file system";
        case EDQUOT: return "the disk quota of this user is used up";
        case EMFILE: return "raise the limit of open files (ulimit -n, LimitNOFILE=)";
        case ELOOP: return "symbolic links are not followed here";
        default: return {};
    }
}

}  // namespace

Error system_error(const std::string& what, int number) {
    return Error{code_of(number),
                 what + ": " + std::generic_category().message(number),
                 {},
                 help_for(number)};
}

tl::unexpected<Error> fail_errno(const std::string& what) {
    return tl::unexpected<Error>(system_error(what, errno));
}

}  // namespace blixard::os
