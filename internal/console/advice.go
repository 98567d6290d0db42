package console

// adviceZH are the commonest hints of errors in Chinese. Errors are made all over the hub in plain
// English; what is not here is shown as it is.
var adviceZH = map[string]string{ //nolint:gosec // a hint about passwords is none
	"begin the list anew":                                                                 "请从列表首页重新打开",
	"begin again":                                                                         "请重新开始",
	"try again":                                                                           "请重试",
	"take one that was not used before":                                                   "请换一个以前没有用过的",
	"see the list of targets":                                                             "请查看接收平台列表",
	"there is nothing to release":                                                         "没有需要解除的暂缓",
	"wait until it is done":                                                               "请等它完成后再试",
	"sign in again":                                                                       "请重新登录",
	"sign in with a name and a password":                                                  "请用用户名和密码登录",
	"say why; it is kept in the audit trail":                                              "请写明理由；理由记入审计日志",
	"say why, so that the proposer can mend it":                                           "请写明理由，以便提出人修改",
	"say why the missing records are believed to be gone":                                 "请写明为何认定缺少的记录已撤回",
	"say why nobody will send this row":                                                   "请写明为何这一行不会再报送",
	"give as_of as 2006-01-02":                                                            "日期应形如 2025-12-31",
	"write it as 2026-03-15":                                                              "日期应形如 2026-03-15",
	"give two days, 2006-01-02; the second is included":                                   "请填写起止两个日期，含截止日",
	"change it there and start the hub again":                                             "请在配置文件中修改，然后重新启动",
	"take it out of the file and start the hub again":                                     "请从配置文件中删去，然后重新启动",
	"check address, firewall and whether the platform is up":                              "请检查地址、防火墙以及对方平台是否运行",
	"wait, or have an administrator unlock the account":                                   "请稍候，或请管理员解锁账号",
	"an administrator can widen the account's departments":                                "可请管理员放宽账号的部门范围",
	"the credit office sees every case":                                                   "信用办可以查看全部案件",
	"open the page again and send the form once more":                                     "请重新打开页面再提交",
	"open the page in the console and send the form from there":                           "请在控制台中打开页面并从那里提交",
	"the state database cannot be reached now":                                            "状态库暂时无法访问",
	"check the address of the state database":                                             "请检查状态库地址",
	"too many live pages are open; this one can be loaded anew":                           "打开的实时页面过多，请刷新本页",
	"the applicant is told everything that is missing at once":                            "应一次告知申请人全部缺少的材料",
	"this is not a unified social credit code: 18 characters, the last one a check digit": "这不是统一社会信用代码：应为 18 位，末位为校验码",
}

// advice gives a hint in a language.
func advice(hint, lang string) string {
	if zh, known := adviceZH[hint]; known && lang == "zh" {
		return zh
	}
	return hint
}
