package api

import (
	"context"
	"net/http"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// connections adds what sources and targets have in common: they are made, tried, changed and removed
// alike. Secrets go in and never come out.
func (a *API) connections(path, name, role string, see, change auth.Right) {
	zh := map[string]string{desk.SourceRole: "来源", desk.TargetRole: "推送目标"}[role]
	en := map[string]string{desk.SourceRole: "source", desk.TargetRole: "target"}[role]
	base, one := "/v1/"+path, "/v1/"+path+"/{id}"
	tagged := func(c desk.Connection) *versioned[desk.Connection] {
		return &versioned[desk.Connection]{ETag: versionTag(c.Version), Body: c}
	}
	register(a, op{Method: http.MethodGet, Path: one, ID: "get" + name, Tag: path, Right: see, Words: "One " + en + ", without its secrets", ZH: "一个" + zh + "的连接设置；密码等只说明是否已保存。"},
		func(ctx context.Context, in *ByID) (*versioned[desk.Connection], error) {
			c, err := a.Desk.Connection(ctx, role, in.ID)
			return tagged(c), err
		})
	get(a, op{Path: one + "/yaml", ID: "export" + name, Tag: path, Right: change, Words: "A " + en + " as it would stand in xinshu.yaml, without its secrets", ZH: "以 YAML 导出" + zh + "（不含密码）。"},
		func(ctx context.Context, in *ByID) (Text, error) {
			text, err := a.Desk.ExportConnection(ctx, role, in.ID)
			return Text{Text: text}, err
		})
	type createInput struct{ Body Draft }
	register(a, op{Method: http.MethodPost, Path: base, ID: "create" + name, Tag: path, Right: change, Status: http.StatusCreated, Words: "Make a " + en, ZH: "新建" + zh + "。"},
		func(ctx context.Context, in *createInput) (*versioned[desk.Connection], error) {
			c, faults, err := a.Desk.SaveConnection(ctx, in.Body.desk(role, 0))
			return tagged(c), faulty("body", faults, err)
		})
	type changeInput struct {
		ByID
		IfMatch
		Body Draft
	}
	register(a, op{Method: http.MethodPut, Path: one, ID: "change" + name, Tag: path, Right: change, Versioned: true, Words: "Change a " + en, ZH: "修改" + zh + "；配置文件中的连接只能在文件中修改。"},
		func(ctx context.Context, in *changeInput) (*versioned[desk.Connection], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			if in.Body.ID != in.ID {
				return nil, newProblem("invalid", "the id in the body is not the one in the path")
			}
			c, faults, err := a.Desk.SaveConnection(ctx, in.Body.desk(role, version))
			return tagged(c), faulty("body", faults, changed(err))
		})
	type removeInput struct {
		ByID
		IfMatch
	}
	register(a, op{Method: http.MethodDelete, Path: one, ID: "remove" + name, Tag: path, Right: change, Versioned: true, Words: "Remove a " + en, ZH: "删除" + zh + "；它带来的数据保留。"},
		func(ctx context.Context, in *removeInput) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, changed(a.Desk.RemoveConnection(ctx, role, in.ID, version))
		})
	type tryInput struct{ Body TryInput }
	post(a, op{Path: base + "/try", ID: "try" + name, Tag: path, Right: change, Words: "Reach a " + en + " as filled in, and look at first rows", ZH: "测试连接并预览数据，不保存任何内容。"},
		func(ctx context.Context, in *tryInput) (desk.Trial, error) {
			version := int64(0)
			if c, err := a.Desk.Connection(ctx, role, in.Body.Connection.ID); err == nil {
				version = c.Version // its kept secrets are tried, where the draft leaves them empty
			}
			trial, faults, err := a.Desk.TryConnection(ctx, in.Body.Connection.desk(role, version), in.Body.Datasets, in.Body.Rows)
			return trial, faulty("body.connection", faults, err)
		})
	type trySavedInput struct {
		ByID
		Body TrySavedInput
	}
	post(a, op{Path: one + "/try", ID: "trySaved" + name, Tag: path, Right: change, Words: "Reach a saved " + en + ", and look at first rows", ZH: "测试已保存的连接并预览数据。"},
		func(ctx context.Context, in *trySavedInput) (desk.Trial, error) {
			return a.Desk.TrySaved(ctx, role, in.ID, in.Body.Datasets, in.Body.Rows)
		})
}

// faulty makes a problem of faults of fields; without any it gives the error.
func faulty(at string, faults []desk.FieldFault, err error) error {
	if err != nil || len(faults) == 0 {
		return err
	}
	p := newProblem("invalid", "some settings are wrong; nothing was kept")
	for _, f := range faults {
		p.Errors = append(p.Errors, ProblemPlace{Location: at + "." + f.Field, Message: masked(f.Text.EN + " · " + f.Text.ZH)})
	}
	return p
}
