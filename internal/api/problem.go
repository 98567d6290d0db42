package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/fault"
)

// problem turns an error into RFC 9457 form. What is ours to know (internal errors) is not told.
func problem(err error) error {
	status := map[fault.Code]int{
		fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
		fault.Unauthorized: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.Unavailable: http.StatusServiceUnavailable,
	}[fault.CodeOf(err)]
	if status == 0 {
		return &huma.ErrorModel{Status: http.StatusInternalServerError, Title: http.StatusText(http.StatusInternalServerError)}
	}
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: err.Error()}
	var f *fault.Error
	if errors.As(err, &f) {
		p.Detail = f.Error()
	}
	return p
}
